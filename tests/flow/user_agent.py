"""A browser without script: keeps cookies, follows redirects inside the OP, fills in forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from tests.flow.door import Door, HttpResponse, send

REDIRECTS = 10  # more in a row are a loop


@dataclass(slots=True)
class PageForm:
    """A form of a page: where it is sent, its fields, and its buttons by id."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str] | None] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[PageForm] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.found.append(PageForm(given.get("method", "get").upper(), given.get("action", "")))
            case "input" if self.found and "name" in given:
                self.found[-1].fields[given["name"]] = given.get("value", "")
            case "button" if self.found and "id" in given:
                named = (given["name"], given.get("value", "")) if "name" in given else None
                self.found[-1].buttons[given["id"]] = named


def form_with(page: HttpResponse, button: str) -> PageForm | None:
    """The form of *page* that has a button of that id."""
    parser = _Forms()
    parser.feed(page.text)
    return next((form for form in parser.found if button in form.buttons), None)


@dataclass(slots=True)
class UserAgent:
    """A browser that never leaves the OP: a redirect elsewhere is its last response."""

    door: Door
    cookies: dict[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=lambda: {"Accept": "text/html"})

    def visit(self, url: str) -> HttpResponse:
        """The page at *url*, or the redirect that leads away."""
        return self._follow(self._send("GET", url))

    def press(self, page: HttpResponse, button: str, **fields: str) -> HttpResponse:
        """Fills in *fields*, presses the button, and follows."""
        form = form_with(page, button)
        assert form, f"no {button} at {page.url} ({page.status}): {page.text[:2000]}"
        data = form.fields | fields | dict(filter(None, [form.buttons[button]]))
        return self._follow(self._send(form.method, urljoin(page.url, form.action), data))

    def sign_in(self, url: str, username: str, password: str) -> str:
        """Answer the login and consent pages. Returns the URL at the client."""
        page = self.visit(url)
        if form_with(page, "login-submit"):
            page = self.press(page, "login-submit", username=username, password=password)
        if form_with(page, "consent-allow"):
            page = self.press(page, "consent-allow")
        assert page.location, f"{page.status} at {page.url}: {page.text[:2000]}"
        return page.location

    def _send(self, method: str, url: str, data: Mapping[str, str] | None = None) -> HttpResponse:
        headers = dict(self.headers)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if data is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.door.origin}
        body = urlencode(data).encode() if data is not None else None
        answer = send(self.door, method, url.removeprefix(self.door.origin), headers, body)
        self._keep_cookies(answer)
        return answer

    def _keep_cookies(self, answer: HttpResponse) -> None:
        for line in answer.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(line).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)

    def _follow(self, answer: HttpResponse) -> HttpResponse:
        for _ in range(REDIRECTS):
            if answer.status not in (302, 303):
                return answer
            url = urljoin(answer.url, answer.location)
            if not f"{url}/".startswith(f"{self.door.origin}/") or _is_out_of_band(url):
                return answer
            answer = self._send("GET", url)
        raise AssertionError(f"redirected in circles: {answer.url}")


def _is_out_of_band(url: str) -> bool:
    return urlsplit(url).path.endswith("/oauth2/oob")
