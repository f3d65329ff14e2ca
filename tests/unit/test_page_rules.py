"""The pure rules of the pages: targets, display names and languages."""

import pytest

from shared.browser.language_lookup import choose
from shared.browser.pages.security import source
from shared.browser.pages.views.client import ClientView, visible


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "blob:https://a/b",
        "file:///etc/passwd", "about:blank", "//evil.test", "https:evil.test", "https:///evil.test",
        "https://a@evil.test/", "https://a\\@evil.test", "https://a;b", "https://a b", "https://", "", "*",
        "'self'",
    ],
)  # fmt: skip
def test_dangerous_uris_are_no_source(uri: str) -> None:
    """A URI that browsers read differently is not allowed as a source."""
    assert source(uri) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bank\u202egpj.exe", "Bankgpj.exe"),
        ("a\x00b\nc\u200b", "ab c"),
        ("\u2066\u2069 ", ""),
        ("x" * 200, "x" * 79 + "…"),
        ("Ärzte 東京", "Ärzte 東京"),
    ],
)
def test_names_cannot_hide_or_turn_round(text: str, expected: str) -> None:
    """Control, formatting and directional characters are left out, and long names are cut."""
    assert visible(text) == expected
    assert ClientView("the-id", text).name == (expected or "the-id")


@pytest.mark.parametrize(
    ("ui_locales", "accept_language", "expected"),
    [
        (None, None, "en"),
        ("", "", "en"),
        ("de", None, "de"),
        ("fr-CA de", None, "fr"),
        ("xx fr", "de", "fr"),
        ("xx", "de", "de"),
        ("DE-ch-1996", None, "de"),
        ("zh-de", None, "en"),
        (None, "en;q=0.2, de;q=0.9, fr;q=0.5", "de"),
        (None, "de;q=0, fr", "fr"),
        (None, "de;q=x, *;q=0.1", "en"),
        (None, "de;q=nan,fr;q=inf,en;q=-1", "en"),
        (None, "fr;Q=0.5", "fr"),
        ("../../etc/passwd \x00 " + '"><script>', ",;=,;q=", "en"),
        ("x " * 100 + "de", "x," * 100 + "de", "en"),
    ],
)
def test_language_is_looked_up(ui_locales: str | None, accept_language: str | None, expected: str) -> None:
    """`ui_locales` takes precedence over the browser's languages, and nothing raises."""
    assert choose(("en", "de", "fr"), ui_locales, accept_language) == expected
