"""The logos of clients: fetched by the guarded fetcher, kept in memory, and sent as files of this server."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from shared.browser.pages.assets import IMAGE_POLICY
from shared.browser.pages.logos import MAC, URI, LogoLinks
from shared.config.image import image_type
from shared.fetch import FetchedBody, Fetcher, FetchFailed
from shared.server.app import SETTINGS
from shared.server.resources import FETCHER
from shared.web.form import query

MAX_LOGO = 128 * 1024
MAX_KEPT = 8 * 1024 * 1024
"""Bytes of all logos in memory."""
FRESH_FOR = 3600.0
FAILED_FOR = 60.0
"""Seconds, after which a logo, or one that could not be had, is fetched again."""

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LogoImage:
    """A logo, or what there is instead of one: `media_type` is None."""

    media_type: str | None
    body: bytes = b""
    fetched_at: float = 0.0

    @property
    def fresh_for(self) -> float:
        """Seconds after the fetch."""
        return FAILED_FOR if self.media_type is None else FRESH_FOR


@dataclass(slots=True)
class ClientLogos:
    """The logos that were shown last, by their URI. Concurrent callers share one fetch."""

    links: LogoLinks
    fetcher: Fetcher
    clock: Callable[[], float] = time.monotonic
    _cached: OrderedDict[str, LogoImage] = field(default_factory=OrderedDict)
    _fetching: dict[str, asyncio.Task[LogoImage]] = field(default_factory=dict)
    _size: int = 0

    async def get(self, request: web.Request) -> web.Response:
        """The logo that a page shows. Raises InvalidRequest, HTTPNotFound."""
        parameters = query(request)
        uri = parameters.require(URI)
        if not self.links.is_shown(uri, parameters.require(MAC)):
            raise web.HTTPNotFound
        logo = await self.find(uri)
        if logo.media_type is None:
            raise web.HTTPNotFound
        headers = {
            "Cache-Control": f"private, max-age={FRESH_FOR:.0f}",
            "Content-Security-Policy": IMAGE_POLICY,
            "Content-Type": logo.media_type,
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=logo.body, headers=headers)

    async def find(self, uri: str) -> LogoImage:
        """The logo at *uri*, fetched if need be."""
        logo = self._cached.get(uri)
        if logo and self.clock() < logo.fetched_at + logo.fresh_for:
            self._cached.move_to_end(uri)
            return logo
        if (task := self._fetching.get(uri)) is None:
            task = self._fetching[uri] = asyncio.create_task(self._fetch(uri))
        return await asyncio.shield(task)

    async def _fetch(self, uri: str) -> LogoImage:
        try:
            logo = await self.fetcher.get(uri, self._image, MAX_LOGO)
        except FetchFailed as fault:
            logger.info("client_logo_failed", uri=uri, cause=str(fault))
            logo = LogoImage(None, fetched_at=self.clock())
        finally:
            del self._fetching[uri]
        self._keep(uri, logo)
        return logo

    def _image(self, fetched: FetchedBody) -> LogoImage:
        """Raises ValueError."""
        if (media_type := image_type(fetched.body)) is None:
            raise ValueError("this is no image")
        return LogoImage(media_type, fetched.body, self.clock())

    def _keep(self, uri: str, logo: LogoImage) -> None:
        """Keep a logo in place of those that nobody has asked for the longest."""
        former = self._cached.pop(uri, None)
        self._cached[uri] = logo
        self._size += _weight(uri, logo) - (_weight(uri, former) if former else 0)
        while self._size > MAX_KEPT:
            oldest, gone = self._cached.popitem(last=False)
            self._size -= _weight(oldest, gone)

    async def close(self) -> None:
        """Cancel running fetches."""
        for task in list(self._fetching.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def _weight(uri: str, logo: LogoImage) -> int:
    return len(uri) + len(logo.body) + 200  # bytes, with what Python adds


CLIENT_LOGOS = web.AppKey("CLIENT_LOGOS", ClientLogos)


async def client_logos(app: web.Application) -> AsyncIterator[None]:
    """CLIENT_LOGOS. Needs `fetcher`."""
    app[CLIENT_LOGOS] = logos = ClientLogos(LogoLinks(app[SETTINGS].secret_keys), app[FETCHER])
    yield
    await logos.close()


async def client_logo(request: web.Request) -> web.Response:
    """GET /oidc/logo."""
    return await request.app[CLIENT_LOGOS].get(request)
