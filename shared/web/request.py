"""The request that handlers receive."""

import asyncio

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from yarl import URL

from shared.live import clock
from shared.oauth.parameters import Parameters

MAX_BODY = 64 * 1024
MAX_TARGET = 16 * 1024
MAX_FIELDS = 32 * 1024  # all header fields together

MAX_USER_AGENT = 256  # characters

UNREADABLE = ""
"""The method of the stand-in for a request that cannot be constructed."""


def unreadable(message: RawRequestMessage) -> RawRequestMessage:
    """*message* without its target, which aiohttp's request does not accept."""
    return RawRequestMessage(
        UNREADABLE, "/", message.version, message.headers, (), True, None, False, False, URL("/")
    )


class Request(web.Request):
    """aiohttp's request, with its resolved route and its time of arrival."""

    ATTRS = web.Request.ATTRS | {
        "route_match",
        "allowed_origins",
        "parameters",
        "client_id",
        "read_at",
        "completed_at",
        "is_last",
    }
    route_match: web.UrlMappingMatchInfo
    allowed_origins: tuple[str, ...] | None = None
    """The origins whose pages may read the response, if its path allows cross-origin requests.

    None: any origin.
    """
    parameters: Parameters | None = None
    """The query or the form, after it has been read."""
    client_id: str | None = None
    """The client of the request, after its record has been found."""

    def __init__(  # noqa: PLR0917  # aiohttp's signature
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Raises ValueError if the target is absolute and its host is invalid."""
        super().__init__(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)
        self.read_at = self.completed_at = clock.monotonic()
        # A client that asks to upgrade the protocol is answered over this one, and the connection closes (RFC
        # 9110 §7.8).
        self.is_last = message.should_close or message.upgrade

    @property
    def match_info(self) -> web.UrlMappingMatchInfo:
        return self.route_match

    @property
    def app(self) -> web.Application:
        return self.route_match.current_app

    @property
    def target(self) -> str:
        """The path as sent, without the query."""
        return self.raw_path.partition("?")[0]

    def complete(self) -> None:
        """Record that the last byte of the body has been read."""
        self.completed_at = clock.monotonic()


def user_agent(request: web.Request) -> str:
    """What the browser calls itself, without characters that cannot be printed, cut at MAX_USER_AGENT."""
    claimed = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return "".join(character for character in claimed if character.isprintable())
