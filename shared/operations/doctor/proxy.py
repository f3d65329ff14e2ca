"""Whether the proxy hides what is private, replaces forwarding headers, and leaves cookies as they are."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http.cookies import Morsel
from urllib.parse import urlsplit

from shared.browser.cookies import Cookies
from shared.config.loopback import is_loopback
from shared.config.settings import Settings
from shared.operations.doctor.findings import Finding, bad, good
from shared.operations.doctor.http import HttpRequest, HttpResponse
from shared.paths import ADMIN_CLIENTS, ADMIN_USERS, DEVICE, USERINFO

Ask = Callable[[HttpRequest], Awaitable[HttpResponse]]

OF_A_PROCESS = ("/healthz", "/readyz", "/metrics")
SOME_USER_CODE = "BCDF-GHJK"  # well-formed: the page that asks for a password sets a cookie
REQUEST_ID, STRICT_TRANSPORT_SECURITY = "X-Request-Id", "Strict-Transport-Security"


async def findings(settings: Settings, ask: Ask) -> AsyncIterator[Finding]:
    """Every check of the proxy. Raises what *ask* raises."""
    is_local = is_loopback(urlsplit(settings.issuer).hostname or "")
    private = [settings.origin + path for path in OF_A_PROCESS]
    if not is_local:  # `ostiary run` serves them on its one port
        private += [path.at(settings.issuer) for path in (ADMIN_CLIENTS, ADMIN_USERS)]
    yield private_finding([await ask(HttpRequest(url)) for url in private])
    sent = secrets.token_hex(8)
    userinfo = await ask(HttpRequest(USERINFO.at(settings.issuer), {REQUEST_ID: sent}))
    yield headers_finding(sent, userinfo)
    if settings.is_https and not is_local:  # `ostiary run` never sends it
        yield transport_security_finding(userinfo)
    form = {"user_code": SOME_USER_CODE, "step": "code"}
    page = await ask(HttpRequest(DEVICE.at(settings.issuer), {"Origin": settings.origin}, form))
    yield cookie_finding(Cookies.of(settings), page.cookies)


def private_finding(answers: Sequence[HttpResponse]) -> Finding:
    """Whether no private path is mapped to a service."""
    mapped = [answer.url for answer in answers if answer.status != 404]
    if mapped:
        return bad(
            "Private paths",
            f"{', '.join(mapped)} must answer 404: map only the documented paths",
        )
    return good("Private paths", "health, metrics and administration are not public")


def headers_finding(sent: str, answer: HttpResponse) -> Finding:
    """Whether the proxy replaces a forwarding header that a client *sent*, judged by the response."""
    if answer.headers.get(REQUEST_ID) == sent:
        return bad(
            "Proxy headers",
            f"the proxy forwards a client's {REQUEST_ID}: it must replace it and X-Forwarded-For,"
            " and drop other forwarding headers, because their senders are trusted",
        )
    return good("Proxy headers", "those that a client sends are replaced")


def transport_security_finding(answer: HttpResponse) -> Finding:
    """Whether browsers are told to use https only (RFC 6797)."""
    if STRICT_TRANSPORT_SECURITY not in answer.headers:
        return bad("HTTPS only", f"the proxy does not add {STRICT_TRANSPORT_SECURITY} to its responses")
    return good("HTTPS only", f"the proxy adds {STRICT_TRANSPORT_SECURITY}")


def cookie_finding(expected: Cookies, cookies: Sequence[Morsel[str]]) -> Finding:
    """Whether a cookie of the login page arrives with the flags that the service has set."""
    own = [cookie for cookie in cookies if cookie.key.startswith(expected.browser[0])]
    if not own:
        return bad("Cookies", "the login page sets no cookie: the proxy must pass Set-Cookie unchanged")
    for cookie in own:
        flags = (bool(cookie["secure"]), bool(cookie["httponly"]), cookie["samesite"], cookie["path"])
        if flags != (expected.is_secure, True, "Lax", expected.path):
            return bad(
                "Cookies", f"the proxy changes the flags of {cookie.key}: it must pass Set-Cookie unchanged"
            )
    return good("Cookies", "they arrive with their flags")
