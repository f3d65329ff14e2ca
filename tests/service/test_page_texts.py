"""The texts of the pages: complete in every language, and plain words for scopes and claims."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp import web
from jinja2 import nodes

from services.worker.mail.message import environment
from shared.browser.pages import ConsentView, FormView, Pages
from shared.browser.pages.catalogue import Catalogue
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from shared.oauth.supported import SCOPES
from tests import sample_clients, sample_pages

PAGES = Pages.load(Settings(), web.Application())


@pytest.mark.point(26)
def test_the_first_language_offered_is_the_default() -> None:
    """Operators choose the fallback by order, and offer no more than they list."""
    pages = Pages.load(Settings(ui_locales=("fr", "de")), web.Application())
    assert pages.renderer.locale("en", "it") == "fr"


def templates() -> Iterator[nodes.Template]:
    """Every template of a page or a mail."""
    for templates in (PAGES.renderer.templates, environment()):
        loader = templates.loader
        assert loader is not None
        for name in templates.list_templates():
            yield templates.parse(loader.get_source(templates, name)[0])


def keys_of_templates(*, counted: bool = False) -> Iterator[tuple[str, str]]:
    """The first and the last constant part of every key that a template asks for; the middle may vary.

    *counted*: of the texts that have plural forms, else of all others.
    """
    for tree in templates():
        for call in tree.find_all(nodes.Call):
            if _asks_for_text(call.node, counted=counted):
                key = call.args[0]
                if isinstance(key, nodes.Const):
                    yield key.value, ""
                else:
                    assert isinstance(key, nodes.Concat)
                    first, last = key.nodes[0], key.nodes[-1]
                    assert isinstance(first, nodes.Const), "a key must begin with a constant"
                    yield first.value + "*", last.value if isinstance(last, nodes.Const) else ""


def _asks_for_text(node: nodes.Node, *, counted: bool) -> bool:
    if isinstance(node, nodes.Getattr) and counted:
        return isinstance(node.node, nodes.Name) and (node.node.name, node.attr) == ("t", "counted")
    return isinstance(node, nodes.Name) and node.name == "t" and not counted


def plural_forms(catalogue: Catalogue) -> set[str]:
    """The forms that numbers of things have in a language."""
    return {catalogue.rules.plural_form(number) for number in range(1000)}


@pytest.mark.point(26)
@pytest.mark.parametrize("locale", UI_LOCALES)
def test_no_text_is_missing_or_unused(locale: str) -> None:
    """Every language has every key that a template uses, no other, and the same values within."""
    catalogue, english = Catalogue.load(locale), Catalogue.load("en").texts
    numbers = {key.removesuffix(".one") for key in english if key.endswith(".one")}
    forms = {f"{key}.{form}" for key in numbers for form in plural_forms(catalogue)}
    nones = {f"{key}.none" for key in numbers if f"{key}.none" in english}
    others = {key for key in english if key.rpartition(".")[0] not in numbers}
    assert catalogue.texts.keys() == forms | nones | others
    for key, text in catalogue.texts.items():
        assert text.strip() == text != ""
        model = english.get(key) or english[f"{key.rpartition('.')[0]}.other"]
        optional = {"{number}"} if key in forms | nones else set()
        assert set(_placeholders(text)) ^ set(_placeholders(model)) <= optional, key


def _placeholders(text: str) -> list[str]:
    return re.findall(r"{\w*}", text)


def test_every_text_is_on_a_page() -> None:
    """The templates name every key that there is, and no other."""
    english = Catalogue.load("en").texts.keys()
    plain, counted = list(keys_of_templates()), list(keys_of_templates(counted=True))
    assert {a for a, _ in plain if "*" not in a} <= english
    assert {f"{a}.other" for a, _ in counted if "*" not in a} <= english
    patterns = [re.escape(a).replace(r"\*", ".*") + re.escape(b) for a, b in plain]
    patterns += [re.escape(a).replace(r"\*", ".*") + r"\.(none|one|other)" for a, _ in counted]
    assert not [key for key in english if not any(re.fullmatch(p, key) for p in patterns)]


def test_translations_differ() -> None:
    """A text that is the same as in English was probably forgotten."""
    english = Catalogue.load("en").texts
    same_by_nature = {
        "de": {"account.passkeys", "client.home", "start.issuer"},
        "es": {"account.roles", "claim.roles"},
        "fr": {"account.section.connections"},
        "it": {"account.password", "login.password"},
        "nl": {
            "account.number_of_passkeys.other",
            "account.number_of_sessions.other",
            "account.number_of_tokens.other",
            "account.passkeys",
            "claim.website",
            "client.home",
        },
    }
    for locale in UI_LOCALES[1:]:
        texts = Catalogue.load(locale).texts
        same = {key for key in texts if texts[key] == english.get(key)}
        assert same == same_by_nature.get(locale, set())


def test_no_french_line_begins_with_a_sign() -> None:
    """The space before a colon or a question mark does not break."""
    texts = Catalogue.load("fr").texts
    assert {key: text for key, text in texts.items() if re.search(r"« | [:;?!»]", text)} == {}


@pytest.mark.parametrize("locale", UI_LOCALES)
def test_no_line_ends_within_a_word_of_mail(locale: str) -> None:
    """The hyphen of "e-mail" does not break."""
    texts = Catalogue.load(locale).texts
    assert {key: text for key, text in texts.items() if re.search(r"\be-mail", text, re.IGNORECASE)} == {}


def test_scopes_are_told_in_plain_words_once() -> None:
    """Known scopes and claims have words, unknown ones their name, and `offline` is `offline_access`."""
    scopes = ("openid", "offline", "offline_access", "pydio", "x.read", "constructor")
    view = ConsentView(FormView(sample_clients.CLIENT, "/"), "u", scopes, ("birthdate", "y"))
    page = str(PAGES.consent(view, "en").text)
    assert page.count("Stay connected") == 1
    assert "files and workspaces" in page
    for unknown in ("x.read", "constructor", "y"):
        assert f'<bdi class="name">{unknown}</bdi>' in page
    assert "date of birth" in page
    for wire in ("openid", "pydio", "offline_access", "birthdate"):
        assert f">{wire}<" not in page


@pytest.mark.parametrize("locale", UI_LOCALES)
def test_every_scope_of_this_server_has_words(locale: str) -> None:
    """In every language; `offline` is told as `offline_access`."""
    assert {f"scope.{scope}" for scope in SCOPES if scope != "offline"} <= Catalogue.load(locale).texts.keys()


@pytest.mark.parametrize(
    ("seconds", "words"), [(1, "a moment"), (15, "a moment"), (16, "a minute"), (61, "2 minutes")]
)
def test_waiting_is_told_in_words_and_header(seconds: int, words: str) -> None:
    """Seconds turn into words a person uses, and into Retry-After."""
    view = replace(sample_pages.LOGIN, fault="throttled", retry_after=seconds)
    response = PAGES.login(view, "en")
    assert words in str(response.text)
    assert response.headers["Retry-After"] == str(seconds)
