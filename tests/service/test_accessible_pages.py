"""What scanners for accessibility do not find: points of WCAG 2.2 that depend on what a page is about."""

import re
from collections.abc import Mapping
from functools import cache

from aiohttp import web

from shared.browser.pages import Pages
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from tests import sample_pages
from tests.each_case import check_each
from tests.service.test_pages import PageTags, body, sample_tags

PAGES = Pages.load(Settings(), web.Application())
TYPED = frozenset({"text", "password", "email", "tel"})
PURPOSES: Mapping[str, frozenset[str]] = {
    "username": frozenset({"username", "username webauthn"}),
    "password": frozenset({"current-password", "new-password"}),
    "new_password": frozenset({"new-password"}),
    "email": frozenset({"email"}),
    "code": frozenset({"one-time-code"}),
    "given_name": frozenset({"given-name"}),
    "family_name": frozenset({"family-name"}),
    "nickname": frozenset({"nickname"}),
    "phone_number": frozenset({"tel"}),
}
"""Fields about the user, with the purposes that browsers and password managers know (WCAG 2.2 §1.3.5)."""


@cache
def states(locale: str = "en") -> Mapping[str, web.Response]:
    """Every page by the name of its state."""
    return sample_pages.responses(PAGES, locale)


def typed_fields(tags: PageTags) -> list[dict[str, str | None]]:
    """The fields that users type into."""
    return [field for field in tags.all("input") if field.get("type") in TYPED]


def _password_managers_fill(name: str, response: web.Response) -> None:
    for field in typed_fields(sample_tags(response)):
        purposes = PURPOSES.get(str(field.get("name") or field["id"]), frozenset({"off", "name"}))
        assert field.get("autocomplete") in purposes, (name, field)


def test_password_managers_fill_every_field() -> None:
    """§3.3.8: each field says what belongs into it, or that nothing that is stored does."""
    check_each(states(), _password_managers_fill)


def _tells_its_fault(name: str, response: web.Response) -> None:
    tags = sample_tags(response)
    told = [each for _, each in tags.elements if each.get("role") == "alert" and each.get("id") == "fault"]
    fields = [*typed_fields(tags), *tags.all("select")]
    wrong = [field for field in fields if "aria-invalid" in field]
    assert bool(wrong) <= bool(told)
    if not told:
        return
    (title,) = re.findall(r"<title>(.*?)</title>", body(response))
    (heading,) = re.findall(r"<h1[^>]*>(.*?)</h1>", body(response), re.DOTALL)
    assert title.count(" – ") >= 2, "the title has only the name of the page"
    assert not title.startswith(heading)
    assert all("fault" in str(field.get("aria-describedby")).split() for field in wrong)
    focused = [field for field in fields if "autofocus" in field]
    assert len(focused) <= 1
    assert focused or not wrong, "nothing has the focus"


def test_a_fault_is_told_and_found() -> None:
    """§3.3.1: the title begins with it, a wrong field refers to its text, and one field has the focus."""
    check_each(states(), _tells_its_fault)


def _names_its_parts(_: str, response: web.Response) -> None:
    tags = sample_tags(response)
    assert [len(tags.all(part)) for part in ("html", "header", "main", "footer")] == [1, 1, 1, 1]
    assert tags.all("html")[0]["lang"] == "en"
    labels = [nav["aria-label"] for nav in tags.all("nav")]
    assert len(labels) == len(set(labels))
    assert len(tags.all("fieldset")) == len(tags.all("legend"))
    assert all("alt" in image for image in tags.all("img"))
    choices = [field["name"] for field in tags.all("input") if field.get("type") == "checkbox"]
    assert len(choices) == len(set(choices)) or tags.all("fieldset"), "choices that belong together"


def test_the_parts_of_a_page_have_names() -> None:
    """§1.3.1, §3.1.1: language, one of each landmark, and names for what there is more than one of."""
    check_each(states(), _names_its_parts)


def _has_help_in_its_place(_: str, response: web.Response) -> None:
    order = [tag for tag, _ in sample_tags(response).elements if tag in ("header", "main", "footer")]
    assert order == ["header", "main", "footer"]


def test_help_is_in_the_same_place() -> None:
    """§3.2.6: links of the page come after its content, in the footer, and the sections before it."""
    check_each(states(), _has_help_in_its_place)


def _gives_messages_a_role(_: str, response: web.Response) -> None:
    notices = [
        each for _, each in sample_tags(response).elements if "notice" in str(each.get("class")).split()
    ]
    roles = {each.get("role") for each in notices if each.get("id") != "passkey-made"}  # it is inside of one
    assert roles <= {"alert", "status", "note"}


def test_messages_have_a_role() -> None:
    """§4.1.3: screen readers tell what has happened, and that a remark is one."""
    check_each(states(), _gives_messages_a_role)


def _names_languages(_: str, response: web.Response) -> None:
    tags = sample_tags(response)
    assert tags.all("html")[0]["lang"] == "ar"
    languages = [each for each in tags.all("option") if each.get("value") in UI_LOCALES]
    assert [each["value"] for each in languages] == [each["lang"] for each in languages]
    descriptions = body(response).count("redirect_uri is not registered")
    assert len([each for each in tags.all("dd") if each.get("lang") == "en"]) == descriptions


def test_parts_in_other_languages_say_so() -> None:
    """§3.1.2: what a client's developers read is in English, and each language has its own name."""
    check_each(states("ar"), _names_languages)


def test_a_title_names_one_page() -> None:
    """§2.4.2: two pages with one title are the same, but for what is wrong and whose account it is."""
    headings: dict[str, set[str]] = {}
    for response in states().values():
        ((title, heading),) = re.findall(
            r"<title>(.*?)</title>.*<h1[^>]*>(.*?)</h1>", body(response), re.DOTALL
        )
        headings.setdefault(title.split(" – ")[-2], set()).add(heading)
    names = headings["Your account"]
    assert all(each.startswith("<bdi>") for each in names)
    assert {title: found for title, found in headings.items() if len(found) > 1} == {"Your account": names}


def test_nobody_types_again_what_is_known() -> None:
    """§3.3.7: a form that was wrong shows what was typed, but for secrets."""
    typed = {
        "login-credentials": {"username"},
        "login-throttled": {"username"},
        "sign-up-email": {"username", "name", "email"},
        "sign-up-throttled": {"username", "name", "email"},
        "forgotten-throttled": {"username"},
        "account-email-email": {"email"},
        "account-email-taken": {"email"},
        "account-tokens-scope": {"name", "nodes"},
        "account-profile-phone": {"given_name", "family_name", "phone_number"},
        "device-unknown": {"user_code"},
    }
    for name, fields in typed.items():
        inputs = sample_tags(states()[name]).all("input")
        shown = {field.get("name") for field in inputs if field.get("value")}
        assert fields <= shown, name
