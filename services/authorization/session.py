"""The cookies of a browser: its sessions, their state, and itself, to which interactions are bound."""

import hashlib
import hmac
from dataclasses import dataclass

from aiohttp import web

from services.authorization.session_management import browser_state
from shared.oauth.handle import Kind, digest, is_handle
from shared.paths import PREFIX
from shared.settings import Settings

FORM_TOKEN = "form_token"
MAX_ACCOUNTS = 5
SIGNED_OUT = "signed-out"  # the browser's state; a cookie that is missing may only be hidden


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names and attributes of the cookies of one deployment.

    `__Host-` demands `Secure` and the path `/`. Where the issuer is http the names carry it instead: cookies
    ignore ports, and two deployments on one machine must not sign each other out.
    """

    session: str
    accounts: str
    browser: str
    state: str | None  # None: without session management there is no such cookie
    path: str
    is_secure: bool

    @classmethod
    def of(cls, settings: Settings) -> "Cookies":
        if settings.is_https:
            before, after, path = "__Host-", "", "/"
        else:
            mark = hashlib.sha256(settings.issuer.encode()).hexdigest()[:8]
            before, after, path = "", f"-{mark}", PREFIX
        session, accounts, browser, state = (
            f"{before}ostiary-{name}{after}" for name in ("session", "accounts", "browser", "state")
        )
        shown = state if settings.session_management else None
        return cls(session, accounts, browser, shown, path, settings.is_https)

    def session_handle(self, request: web.Request) -> str | None:
        """The handle of the session; None where there is none, or something else in its place."""
        return self._handle(request, self.session, Kind.SESSION)

    def session_key(self, request: web.Request) -> bytes | None:
        handle = self.session_handle(request)
        return digest(handle) if handle else None

    def browser_handle(self, request: web.Request) -> str | None:
        return self._handle(request, self.browser, Kind.BROWSER)

    def browser_key(self, request: web.Request) -> bytes | None:
        handle = self.browser_handle(request)
        return digest(handle) if handle else None

    def account_handles(self, request: web.Request) -> tuple[str, ...]:
        """The handles of sessions that this browser has beside the active one."""
        listed = _cookie(request, self.accounts).split(".")[:MAX_ACCOUNTS]
        return tuple(handle for handle in listed if is_handle(Kind.SESSION, handle))

    def set_accounts(self, response: web.Response, handles: tuple[str, ...]) -> None:
        """Beside the active one; of too many the last are forgotten."""
        kept = ".".join(handles[:MAX_ACCOUNTS])
        self._set(response, self.accounts, kept, max_age=None if kept else 0)

    def set_session(self, response: web.Response, handle: str) -> None:
        self._set(response, self.session, handle)
        self._set_state(response, browser_state(digest(handle)))

    def set_browser(self, response: web.Response, handle: str) -> None:
        self._set(response, self.browser, handle)

    def clear_session(self, response: web.Response) -> None:
        """Who signs out leaves nobody else behind."""
        self._set(response, self.session, "", max_age=0)
        self._set(response, self.accounts, "", max_age=0)
        self._set_state(response, SIGNED_OUT)

    def _set_state(self, response: web.Response, value: str) -> None:
        """The one cookie that scripts read, in frames of other sites, too: it is worth nothing."""
        if self.state:
            response.set_cookie(self.state, value, path=self.path, secure=True, samesite="None")

    def _handle(self, request: web.Request, name: str, kind: Kind) -> str | None:
        value = _cookie(request, name)
        return value if is_handle(kind, value) else None

    def _set(self, response: web.Response, name: str, value: str, max_age: int | None = None) -> None:
        response.set_cookie(
            name,
            value,
            max_age=max_age,
            path=self.path,
            secure=self.is_secure,
            httponly=True,
            samesite="Lax",
        )


def _cookie(request: web.Request, name: str) -> str:
    """The value of a cookie, of several the last: RFC 6265 §4.2.1. Ours need no quotes, and get none."""
    value = ""
    for pair in request.headers.get("Cookie", "").split(";"):
        found, _, content = pair.strip().partition("=")
        if found == name:
            value = content
    return value


def form_token(session_handle: str | None, purpose: str) -> str:
    """What a form carries to prove that it was made for this session and for this purpose: who does not know
    the cookie cannot make one, and one made for another user's session does not fit."""
    return hmac.digest((session_handle or "").encode(), purpose.encode(), "sha256").hex()


def is_form_token(given: str | None, session_handle: str | None, purpose: str) -> bool:
    return hmac.compare_digest((given or "").encode(), form_token(session_handle, purpose).encode())
