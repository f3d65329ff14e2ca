"""Rendered pages: escaping, headers, links, and the names that automation relies on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from html.parser import HTMLParser
from itertools import pairwise
from typing import cast

import pytest
from aiohttp import web
from pydantic import SecretStr

from shared.browser.pages import (
    ClientView,
    ConfirmDeviceView,
    ConsentView,
    DeviceDoneView,
    DeviceView,
    ErrorView,
    FormView,
    LoginView,
    LogoutView,
    OutOfBandView,
    Pages,
    PresetView,
    SignedOutView,
    SignUpView,
    StartView,
)
from shared.browser.pages.pages import SUBMIT_SCRIPT_SOURCE
from shared.browser.pages.security import link
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from tests import sample_pages
from tests.each_case import check_each

PAGES = Pages.load(Settings(secret_key=(SecretStr("s" * 32),)), web.Application())
MARKUP = "\"><script>alert('x')</script>&{{7*7}}"
MARKED_CLIENT = ClientView(MARKUP, MARKUP, MARKUP, MARKUP, MARKUP, MARKUP)
MARKED_HTTPS = f"https://rp1.test/{MARKUP}"
MARKED_LINKS = ClientView("c", None, MARKED_HTTPS, MARKED_HTTPS, MARKED_HTTPS, MARKED_HTTPS)
M = MARKUP
MARKED_FORM = FormView(MARKED_CLIENT, M, {M: M}, (M,), M)

MARKED: dict[str, Callable[[], web.Response]] = {
    "login": lambda: PAGES.login(LoginView(MARKED_FORM, M), "en"),
    "login links": lambda: PAGES.login(
        LoginView(
            FormView(MARKED_LINKS, "/", {}, (MARKED_HTTPS,), MARKED_HTTPS),
            sign_up_href=f"/{M}",
        ),
        "en",
    ),
    "sign_up": lambda: PAGES.sign_up(
        SignUpView(MARKED_FORM, M, 8, M, M, M, "taken"),
        "en",
    ),
    "consent": lambda: PAGES.consent(ConsentView(MARKED_FORM, M, (M, "openid"), (M,)), "de"),
    "device": lambda: PAGES.device(DeviceView(FormView(None, M, {M: M}), M, complete_uri=M), "en"),
    "confirm_device": lambda: PAGES.confirm_device(
        ConfirmDeviceView(FormView(MARKED_CLIENT, M, {M: M}), M, M, (M, "openid")), "de"
    ),
    "device_done": lambda: PAGES.device_done(DeviceDoneView(MARKED_CLIENT, "allowed"), "en"),
    "device_done denied": lambda: PAGES.device_done(DeviceDoneView(MARKED_CLIENT, "denied"), "fr"),
    "device_done refused": lambda: PAGES.device_done(DeviceDoneView(MARKED_CLIENT, "refused"), "de"),
    "confirm_logout": lambda: PAGES.confirm_logout(LogoutView(MARKED_FORM, M), "fr"),
    "signed_out": lambda: PAGES.signed_out(
        SignedOutView(MARKED_CLIENT, MARKED_HTTPS, (MARKED_HTTPS, M)), "en"
    ),
    "signed_out path": lambda: PAGES.signed_out(SignedOutView(MARKED_CLIENT, f"/{M}"), "en"),
    "out_of_band": lambda: PAGES.out_of_band(OutOfBandView(M), "en"),
    "out_of_band error": lambda: PAGES.out_of_band(OutOfBandView(None, M), "en"),
    "error": lambda: PAGES.error(ErrorView(M, M, M), "en"),
    "form_post": lambda: PAGES.form_post(MARKED_HTTPS, {M: M, "state": M}, "en"),
    "start": lambda: PAGES.start(
        StartView(M, M, M, M, f"/{M}", presets=(PresetView(M, M, MARKED_HTTPS), PresetView(M, M, M))), "en"
    ),
}


def body(response: web.Response) -> str:
    """The page as text."""
    assert response.text is not None
    return response.text


def directives(response: web.Response) -> dict[str, str]:
    """The page's Content-Security-Policy by directive."""
    policy = response.headers["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in policy.split("; "))


class PageTags(HTMLParser):
    """The start tags of a page with their attributes."""

    def __init__(self, response: web.Response) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(body(response))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by HTMLParser."""
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attributes for name, attributes in self.elements if name == tag]


@cache
def sample_tags(response: web.Response) -> PageTags:
    """Those of a sample, which several tests look at."""
    return PageTags(response)


@cache
def samples(locale: str) -> Mapping[str, web.Response]:
    """Every page in a language, by the name of its state."""
    return sample_pages.responses(PAGES, locale)


each_language = pytest.mark.parametrize("locale", UI_LOCALES)


@pytest.mark.parametrize("render", MARKED.values(), ids=list(MARKED))
def test_markup_in_any_field_stays_text(render: Callable[[], web.Response]) -> None:
    """A field never opens an element, leaves an attribute, or runs as a template."""
    response = render()
    document = PageTags(response)
    own = 1 if "submit()" in body(response) else 0
    assert "<script>alert" not in body(response)
    assert len([script for script in document.all("script") if "src" not in script]) == own
    assert not [name for _, attributes in document.elements for name in attributes if name.startswith("on")]
    assert "&amp;49" not in body(response)
    assert MARKUP not in response.headers["Content-Security-Policy"]
    assert "script>" not in str(response.headers)


@pytest.mark.parametrize("value", [MARKUP, 'a"b', "a'b", "ä€😀", "  two  spaces ", "&amp;"])
def test_hidden_fields_carry_their_value_unchanged(value: str) -> None:
    """What a form sends back is byte for byte what it was given."""
    document = PageTags(PAGES.form_post("https://rp1.test/cb?x=1&y=2", {"state": value}, "en"))
    assert {"type": "hidden", "name": "state", "value": value} in document.all("input")
    assert document.all("form")[0]["action"] == "https://rp1.test/cb?x=1&y=2"


def _has_every_header(locale: str, name: str, response: web.Response) -> None:
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Language"] == locale
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Permissions-Policy"]
    assert response.headers["Cross-Origin-Opener-Policy"] in {"same-origin", "unsafe-none"}
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = directives(response)
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["script-src"] == (SUBMIT_SCRIPT_SOURCE if name.startswith("form-post") else "'self'")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert sample_tags(response).all("html") == [{"lang": locale, "dir": "rtl" if locale == "ar" else "ltr"}]


@each_language
def test_every_page_has_every_header(locale: str) -> None:
    """No page is stored, framed, sniffed or named to another site, and it says its language."""
    check_each(samples(locale), partial(_has_every_header, locale))


def _is_well_made(_: str, response: web.Response) -> None:
    document = sample_tags(response)
    levels = [int(tag[1]) for tag, _ in document.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    ids = [attributes["id"] for _, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    labelled = {label["for"] for label in document.all("label")}
    fields = [*document.all("input"), *document.all("select")]
    typed = {field["id"] for field in fields if field.get("type") != "hidden"}
    assert typed == labelled
    assert not document.all("style")
    assert not [attributes for _, attributes in document.elements if "style" in attributes]
    files = [element["href"] for element in document.all("link") if element["rel"] != "expect"]
    files += [element["src"] for element in document.all("script") if "src" in element]
    assert all(file and file.startswith(f"/oidc/static/{PAGES.renderer.assets.version}/") for file in files)


@pytest.mark.point(26)
@each_language
def test_every_page_is_well_made(locale: str) -> None:
    """One h1, headings in order, unique ids, a label for each input, no inline style, only own files."""
    check_each(samples(locale), _is_well_made)


_PRESSED = re.compile(r'<(?:button|a class="small")[^>]*>(.*?)</(?:button|a)>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


@pytest.mark.point(26)
@each_language
def test_no_two_buttons_of_a_page_say_the_same(locale: str) -> None:
    """Out of its row, "Sign out" or "Remove" says which device or passkey it means (WCAG 2.2 §2.4.4)."""
    for name, response in samples(locale).items():
        said = [" ".join(_TAG.sub("", text).split()) for text in _PRESSED.findall(body(response))]
        assert sorted(said) == sorted(set(said)), name


@each_language
def test_no_line_begins_with_a_dot(locale: str) -> None:
    """On a narrow screen, a dot between two parts stays at the end of its line."""
    for name, response in samples(locale).items():
        lines = re.findall(r'<p class="(?:what|lead)">(.*?)</p>', body(response))
        assert not [line for line in lines if re.search("[^\u00a0]·|·[^ ]", line)], name


@pytest.mark.parametrize(
    ("form_action", "expected"),
    [
        ((), "'self'"),
        (("https://rp1.test/cb?x=1",), "'self' https://rp1.test https:"),
        (("HTTPS://RP1.test:8443/cb", "https://rp1.test:8443"), "'self' https://rp1.test:8443 https:"),
        (("cellsauth://callback",), "'self' cellsauth: https:"),
        (("http://127.0.0.1:3000/cb",), "'self' http://127.0.0.1:3000 https:"),
        (("http://[::1]:3000/cb",), "'self' http: https:"),
        (("javascript:alert(1)", "data:text/html,x", "https://a;script-src *"), "'self' https:"),
    ],
)
def test_forms_lead_only_where_the_flow_may_end(form_action: tuple[str, ...], expected: str) -> None:
    """form-action holds the given ends and https; a page that leads nowhere holds itself alone."""
    form = replace(sample_pages.LOGIN.form, form_action=form_action)
    response = PAGES.login(LoginView(form), "en")
    assert directives(response)["form-action"] == expected
    opener = "unsafe-none" if form_action else "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == opener


@pytest.mark.parametrize(
    "uri", ["//evil.test", "/\\evil.test", "/\t/evil.test", "javascript:x", "\x01javascript:x", "x"]
)
def test_dangerous_links_are_not_shown(uri: str) -> None:
    """Links lead only to own paths and to allowed targets of redirects."""
    assert link(uri) is None
    form = replace(sample_pages.LOGIN.form, cancel_href=uri)
    page = body(PAGES.login(LoginView(form), "en"))
    assert ">Cancel<" not in page
    assert "Back to" not in body(PAGES.signed_out(SignedOutView(None, uri), "en"))


@pytest.mark.point(19)
@pytest.mark.parametrize(
    "uri",
    [
        "http://rp1.test/x",
        "javascript:alert(1)",
        "data:image/png;base64,AA",
        "//rp1.test/x",
        "/x",
        "ftp://rp1.test/x",
    ],
)
def test_only_https_uris_of_a_client_are_shown(uri: str) -> None:
    """Logo, website, policy and terms are left out unless they are https."""
    client = ClientView("c", "Name", uri, uri, uri, uri)
    for response in (
        PAGES.login(LoginView(FormView(client, "/")), "en"),
        PAGES.consent(ConsentView(FormView(client, "/"), "u", ("openid",)), "en"),
    ):
        assert uri not in re.sub(r'"/oidc[^"]*"|"/"', "", body(response))
        assert not PageTags(response).all("img")
        assert directives(response)["img-src"] == "'self'"


@pytest.mark.point(19)
def test_an_https_logo_is_shown_from_this_server() -> None:
    """No other origin is in img-src, so the logo's server does not learn of the page."""
    client = ClientView("c", "Name", "https://cdn.rp1.test/logo.png")
    response = PAGES.login(LoginView(FormView(client, "/")), "en")
    (logo,) = PageTags(response).all("img")
    assert (logo["src"] or "").startswith("/oidc/logo?uri=https%3A%2F%2Fcdn.rp1.test%2Flogo.png&mac=")
    assert directives(response)["img-src"] == "'self'"


@pytest.mark.point(23)
def test_frames_of_a_logout_are_https_and_allowed_alone() -> None:
    """Only https logout URIs are framed, from just their origins."""
    frames = ("https://rp1.test/out?sid=1", "http://rp2.test/out", "javascript:x")
    response = PAGES.signed_out(SignedOutView(None, None, frames), "en")
    assert [frame["src"] for frame in PageTags(response).all("iframe")] == ["https://rp1.test/out?sid=1"]
    assert directives(response)["frame-src"] == "https://rp1.test"


@pytest.mark.parametrize(
    ("form_action", "shown"),
    [
        ("https://rp1.test:8443/cb", "rp1.test:8443"),
        ("http://127.0.0.1:3000/cb", "An app on this device"),
        ("http://localhost/cb", "An app on this device"),
        ("cellsauth://callback", "An app on this device"),
    ],
)
def test_people_see_where_they_go(form_action: str, shown: str) -> None:
    """The host comes from the redirect URI, not from what the client says of itself."""
    client = ClientView("c", "Name", client_uri="https://bank.example")
    form = FormView(client, "/", form_action=(form_action,))
    assert shown in body(PAGES.login(LoginView(form), "en"))


@pytest.mark.point(26)
def test_fixed_names_of_the_forms() -> None:
    """Fields, buttons and English headings are those that automation relies on."""
    login = PAGES.login(sample_pages.LOGIN, "en")
    fields = {field["name"]: field for field in PageTags(login).all("input")}
    assert fields["username"]["autocomplete"] == "username"
    assert fields["username"]["autocapitalize"] == "none"
    assert fields["username"]["spellcheck"] == "false"
    assert fields["password"]["autocomplete"] == "current-password"
    assert fields["password"]["type"] == "password"
    new = {field["name"]: field for field in PageTags(PAGES.sign_up(sample_pages.SIGN_UP, "en")).all("input")}
    assert [new[name]["autocomplete"] for name in ("username", "password", "name", "email")] == [
        "username",
        "new-password",
        "name",
        "email",
    ]
    consent, logout = sample_pages.CONSENTS["consent"], sample_pages.LOGOUTS["confirm-logout"]
    buttons = {
        button.get("id"): (button.get("name"), button.get("value"))
        for response in (
            login,
            PAGES.sign_up(sample_pages.SIGN_UP, "en"),
            PAGES.consent(consent, "en"),
            PAGES.confirm_logout(logout, "en"),
        )
        for button in PageTags(response).all("button")
    }
    assert buttons["login-submit"] == buttons["logout-confirm"] == (None, None)
    assert buttons["signup-submit"] == (None, None)
    assert buttons["consent-allow"] == ("decision", "allow")
    assert buttons["consent-deny"] == ("decision", "deny")
    assert "<h1>Sign in</h1>" in body(login)
    assert "<h1>Create an account</h1>" in body(PAGES.sign_up(sample_pages.SIGN_UP, "en"))
    assert "<h1>Something went wrong</h1>" in body(PAGES.error(ErrorView("invalid_request"), "en"))
    assert "<h1>Something went wrong</h1>" in body(PAGES.out_of_band(OutOfBandView(error="x"), "en"))
    assert "<h1>You are signed out</h1>" in body(PAGES.signed_out(SignedOutView(None), "en"))


@pytest.mark.point(26)
@pytest.mark.parametrize("fault", ["credentials", "throttled"])
@pytest.mark.parametrize(("username", "focused"), [("", "username"), ("bob", "password")])
def test_a_fault_is_told_to_everyone(fault: str, username: str, focused: str) -> None:
    """The title begins with it, an alert tells it, the fields refer to it, the empty field has the focus."""
    view = replace(sample_pages.LOGIN, username=username, fault=fault)  # type: ignore[arg-type]  # a literal
    response = PAGES.login(view, "en")
    document = PageTags(response)
    assert response.status == (429 if fault == "throttled" else 400)
    title = cast(re.Match[str], re.search("<title>(.*?)</title>", body(response)))[1]
    assert title.startswith(PAGES.renderer.catalogues["en"].texts[f"login.title.{fault}"])
    assert [a["id"] for _, a in document.elements if a.get("role") == "alert"] == ["fault"]
    typed = [field for field in document.all("input") if field["type"] != "hidden"]
    assert all(field["aria-describedby"] == "fault" for field in typed)
    assert [field["name"] for field in typed if "autofocus" in field] == [focused]
    assert all(("aria-invalid" in field) == (fault == "credentials") for field in typed)


@pytest.mark.point(26)
@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        ("username", "username"),
        ("taken", "username"),
        ("password", "password"),
        ("name", "name"),
        ("email", "email"),
        ("throttled", None),
    ],
)
def test_a_fault_of_one_field_is_told_there(fault: str, wrong: str | None) -> None:
    """The title begins with it, an alert tells it, its field refers to it, is marked, and has the focus."""
    view = replace(sample_pages.SIGN_UP, fault=fault)  # type: ignore[arg-type]  # a literal
    document = PageTags(response := PAGES.sign_up(view, "en"))
    title = cast(re.Match[str], re.search("<title>(.*?)</title>", body(response)))[1]
    assert title.startswith(PAGES.renderer.catalogues["en"].texts[f"sign_up.title.{fault}"])
    assert [a["id"] for _, a in document.elements if a.get("role") == "alert"] == ["fault"]
    typed = {field["name"]: field for field in document.all("input") if field["type"] != "hidden"}
    marked = {name for name, field in typed.items() if "aria-invalid" in field}
    told = {name for name, field in typed.items() if "fault" in (field.get("aria-describedby") or "").split()}
    assert marked == told == {wrong} - {None}
    assert [name for name, field in typed.items() if "autofocus" in field] == [wrong or "username"]
    assert [name for name, field in typed.items() if "required" in field] == ["username", "password"]


def test_unavailable_always_says_when_to_come_back() -> None:
    """A 503 carries Retry-After, given or not; other errors carry none of their own."""
    view = ErrorView("temporarily_unavailable")
    assert PAGES.error(view, "en", 503).headers["Retry-After"] == "5"
    assert PAGES.error(replace(view, retry_after=9), "en", 503).headers["Retry-After"] == "9"
    assert "Retry-After" not in PAGES.error(ErrorView("not_found"), "en", 404).headers


@pytest.mark.parametrize("redirect_uri", ["javascript:alert(1)", "data:text/html,x", "//evil.test", "/x"])
def test_a_form_is_never_posted_to_a_dangerous_uri(redirect_uri: str) -> None:
    """The form_post page has no safe reading of such a URI, so there is no page."""
    with pytest.raises(ValueError, match="posted"):
        PAGES.form_post(redirect_uri, {}, "en")
