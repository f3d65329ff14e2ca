"""Browsers in which a user has signed in before, told by a cookie: attacks from elsewhere do not slow them.

The cookie has an identifier of the browser, and a mark for each of a few users. A mark is a MAC of the
identifier and the user: it names nobody, and ends when the user's epoch rises.
"""

import hmac
import re
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

from shared.browser.cookies import Cookies
from shared.codec.base64url import base64url
from shared.live.randomness import new_salt

MAX_USERS = 5
MARK_BYTES = 16
_SHAPE = re.compile(rf"[\w-]{{22}}(\.[\w-]{{22}}){{1,{MAX_USERS}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class KnownBrowsers:
    """Reads and writes the cookie. *secret_keys*: those of the deployment, the one that marks first."""

    cookies: Cookies
    secret_keys: tuple[str, ...] = field(repr=False)

    def identify(self, request: web.Request, user_id: UUID, epoch: int) -> str | None:
        """The identifier of the browser, if the user has signed in there. Raises InvalidRequest."""
        for browser, marks in self._presented(request):
            expected = [_mark(key, browser, user_id, epoch) for key in self.secret_keys]
            if any(hmac.compare_digest(mark, each) for mark in marks for each in expected):
                return browser
        return None

    def remember(self, request: web.Request, user_id: UUID, epoch: int) -> str:
        """The cookie's value for a browser where the user has just signed in. Raises InvalidRequest."""
        browser, marks = next(iter(self._presented(request)), (new_salt(), ()))
        mark = _mark(self.secret_keys[0], browser, user_id, epoch)
        others = [each for each in marks if each != mark]
        return ".".join((browser, mark, *others[: MAX_USERS - 1]))

    def _presented(self, request: web.Request) -> list[tuple[str, tuple[str, ...]]]:
        """The identifier and the marks of each cookie that is well-formed."""
        values = [value for value in self.cookies.known_browsers(request) if _SHAPE.fullmatch(value)]
        return [(browser, tuple(marks)) for browser, *marks in (value.split(".") for value in values)]


def _mark(secret_key: str, browser: str, user_id: UUID, epoch: int) -> str:
    parts = ("ostiary: known browser, version 1", browser, str(user_id), str(epoch))
    return base64url(hmac.digest(secret_key.encode(), "\0".join(parts).encode(), "sha256")[:MARK_BYTES])
