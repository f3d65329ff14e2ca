"""The cookies of a browser: sessions, their state, what makes it known to its users, and its handles.

Interactions and forms are bound to its handles.

A browser may have several handles. Two tabs that start at the same time without a cookie each get one, under
different names, so that neither response replaces the other's cookie. Later interactions use the newest.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from shared.browser.cookie_header import cookie_pairs
from shared.browser.form_token import is_form_token
from shared.config.settings import Settings
from shared.live.randomness import new_handle
from shared.oauth.errors import InvalidRequest
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.paths import PREFIX

MAX_ACCOUNTS = 5
MAX_TRIED = 4  # session cookies of one name, if the issuer is http
MAX_BROWSER_HANDLES = 20
KNOWN_FOR = timedelta(days=180)
SIGNED_OUT = "signed-out"  # the browser's state; a missing cookie may only be hidden


@dataclass(frozen=True, slots=True)
class Cookies:
    """The names and attributes of a deployment's cookies.

    With an https issuer, the names have the prefix `__Host-`, which requires `Secure` and the path `/`, so
    that each cookie exists once. With an http issuer, they contain a hash of the issuer: cookies ignore
    ports, and two deployments on one host must not sign each other's users out. There, any path of the host
    can set a second cookie of the same name.
    """

    session: str
    accounts: str
    browser: tuple[str, str]  # the beginning and the end of the name of a handle's cookie
    known: str
    state: str | None  # None: session management is off
    path: str
    is_secure: bool
    browser_lifetime: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "Cookies":
        if settings.is_https:
            before, after, path = "__Host-", "", "/"
        else:
            mark = hashlib.sha256(settings.issuer.encode()).hexdigest()[:8]
            before, after, path = "", f"-{mark}", PREFIX
        session, accounts, known, state = (
            f"{before}ostiary-{name}{after}" for name in ("session", "accounts", "known", "state")
        )
        return cls(
            session=session,
            accounts=accounts,
            browser=(f"{before}ostiary-browser-", after),
            known=known,
            state=state if settings.session_management else None,
            path=path,
            is_secure=settings.is_https,
            browser_lifetime=settings.interaction_lifetime,
        )

    def session_handles(self, request: web.Request) -> tuple[str, ...]:
        """The session handles that the browser presents as its active session.

        There can be several only with an http issuer: then the live one counts, and if there are more than
        MAX_TRIED, none does. Raises InvalidRequest if the cookie is repeated although its name forbids that.
        """
        handles = _handles(Kind.SESSION, self._values(request, self.session))
        return handles if len(handles) <= MAX_TRIED else ()

    def session_handle(self, request: web.Request, session_key: bytes) -> str:
        """The presented handle of the session with this key, which was found with one of them."""
        return next(handle for handle in self.session_handles(request) if digest(handle) == session_key)

    def account_handles(self, request: web.Request) -> tuple[str, ...]:
        """The handles of this browser's sessions beside the active one. Raises InvalidRequest."""
        values = self._values(request, self.accounts)
        return _handles(Kind.SESSION, values[0].split(".")[:MAX_ACCOUNTS]) if len(values) == 1 else ()

    def every_handle(self, request: web.Request) -> tuple[str, ...]:
        """The handles of all sessions that the browser presents, in any cookie. Raises InvalidRequest."""
        sessions = self._values(request, self.session)[:MAX_TRIED]
        accounts = [
            handle
            for value in self._values(request, self.accounts)[:MAX_TRIED]
            for handle in value.split(".")[:MAX_ACCOUNTS]
        ]
        return _handles(Kind.SESSION, [*sessions, *accounts])

    def browser_handles(self, request: web.Request) -> tuple[str, ...]:
        """The browser's own handles, oldest first (RFC 6265 §5.4). Raises InvalidRequest."""
        before, after = self.browser
        candidates = [
            (name, value)
            for name, value in cookie_pairs(request.headers.getall("Cookie", ()))
            if name.startswith(before) and name.endswith(after)
        ]
        if self.is_secure and len({name for name, _ in candidates}) < len(candidates):
            raise InvalidRequest("a cookie came twice")
        own = {
            handle: self._browser_name(handle) for handle in _handles(Kind.BROWSER, dict(candidates).values())
        }
        handles = tuple(handle for handle, name in own.items() if (name, handle) in candidates)
        return handles[-MAX_BROWSER_HANDLES:]

    def known_browsers(self, request: web.Request) -> tuple[str, ...]:
        """The values by which users know the browser, as it presents them. Raises InvalidRequest."""
        return tuple(self._values(request, self.known)[:MAX_TRIED])

    def session_of_form(self, request: web.Request, token: str | None, purpose: str) -> str | None:
        """The session handle for which the form with *token* was made. Raises InvalidRequest."""
        return _maker(self.session_handles(request), token, purpose)

    def browser_of_form(self, request: web.Request, token: str | None, purpose: str) -> str | None:
        """As `session_of_form`, for a form that was made before anybody was signed in."""
        return _maker(self.browser_handles(request), token, purpose)

    def newest_browser_handle(self, request: web.Request) -> str:
        """The handle for binding something new.

        The caller must set it with `set_browser`, as it may be new.
        """
        handles = self.browser_handles(request)
        return handles[-1] if handles else new_handle(Kind.BROWSER)

    def set_browser(self, response: web.Response, handle: str) -> None:
        """Keep the cookie for as long as the newest interaction bound to it."""
        seconds = int(self.browser_lifetime.total_seconds())
        self._set(response, self._browser_name(handle), handle, max_age=seconds)

    def set_accounts(self, response: web.Response, handles: tuple[str, ...]) -> None:
        """Set the accounts beside the active one. If there are too many, the last ones are dropped."""
        value = ".".join(handles[:MAX_ACCOUNTS])
        self._set(response, self.accounts, value, max_age=None if value else 0)

    def set_session(self, response: web.Response, handle: str) -> None:
        self._set(response, self.session, handle)
        self._set_state(response, browser_state(digest(handle)))

    def set_known_browser(self, response: web.Response, value: str) -> None:
        """It stays when the session ends."""
        self._set(response, self.known, value, max_age=int(KNOWN_FOR.total_seconds()))

    def clear_session(self, response: web.Response) -> None:
        """Delete every session cookie; only after the end of each session is committed."""
        self._set(response, self.session, "", max_age=0)
        self._set(response, self.accounts, "", max_age=0)
        self._set_state(response, SIGNED_OUT)

    def _browser_name(self, handle: str) -> str:
        before, after = self.browser
        return f"{before}{digest(handle)[:4].hex()}{after}"

    def _set_state(self, response: web.Response, value: str) -> None:
        """Set the only cookie that scripts can read, also in frames of other sites. It gives no access."""
        if self.state:
            response.set_cookie(self.state, value, path=self.path, secure=True, samesite="None")

    def _values(self, request: web.Request, name: str) -> list[str]:
        pairs = cookie_pairs(request.headers.getall("Cookie", ()))
        values = [value for key, value in pairs if key == name]
        if self.is_secure and len(values) > 1:  # no browser sends it twice
            raise InvalidRequest("a cookie came twice")
        return values

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


def browser_state(session_key: bytes) -> str:
    """The value of a session's state cookie. The session's key cannot be computed from it."""
    return hashlib.blake2s(b"browser state", key=session_key).hexdigest()


def _handles(kind: Kind, values: Iterable[str]) -> tuple[str, ...]:
    """The handles of *kind* among *values*, each once."""
    return tuple(dict.fromkeys(value for value in values if is_handle(kind, value)))


def _maker(handles: Iterable[str], token: str | None, purpose: str) -> str | None:
    return next((handle for handle in handles if is_form_token(token, handle, purpose)), None)
