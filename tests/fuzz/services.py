"""The same parsers over HTTP: three services with real stores, and a handler for their log."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient
from structlog.typing import EventDict
from yarl import URL

from services.authorization.app import mount as authorization
from services.client_registry.app import mount as client_registry
from services.token.app import mount as token
from shared.config.settings import Settings
from shared.paths import AUTHORIZATION, REGISTRATION, TOKEN, Path
from shared.server.app import application
from tests.deployment import open_world, settings_for
from tests.fuzz.inputs import Input, Parser
from tests.fuzz.rules import clients
from tests.served import Served

PATHS: dict[Parser, Path] = {
    Parser.AUTHORIZATION: AUTHORIZATION,
    Parser.TOKEN: TOKEN,
    Parser.REGISTRATION: REGISTRATION,
}
_SAFE = "".join(map(chr, range(0x21, 0x7F))).replace("#", "")


@dataclass(slots=True)
class _Ear(logging.Handler):
    """Collects errors that the services or their libraries log."""

    heard: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        logging.Handler.__init__(self, logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(
            "aiohttp.server"
        ):  # of a malformed request, as `shared/server/log/configuration.py` has it
            self.heard.append(record.getMessage())

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, slots=True)
class FuzzedServices:
    """The services, and the faults that they have logged since the last input."""

    http: TestClient[web.Request, web.Application]
    faults: list[str]

    async def send(self, given: Input) -> str | None:
        """The failure: a 5xx or an exception in the log. None: there is none."""
        self.faults.clear()
        path = PATHS[given.parser].path
        headers = {"Authorization": given.authorization} if given.authorization else {}
        kind = (
            "application/json" if given.parser is Parser.REGISTRATION else "application/x-www-form-urlencoded"
        )
        if given.parser is Parser.AUTHORIZATION and len(given.content) % 2:
            query = quote_from_bytes(given.content, safe=_SAFE)
            answer = self.http.get(URL(f"{path}?{query}", encoded=True), allow_redirects=False)
        else:
            headers["Content-Type"] = kind
            answer = self.http.post(path, data=given.content, headers=headers, allow_redirects=False)
        async with answer as response:
            await response.read()
            if response.status >= 500:
                return f"{response.status}"
        return self.faults[0] if self.faults else None


@contextmanager
def _listening(faults: list[str]) -> Iterator[None]:
    def hear(_: object, method: str, event: EventDict) -> EventDict:
        if method in ("error", "critical", "exception", "warning"):
            faults.append(str(event))
        raise structlog.DropEvent

    before, ear = structlog.get_config(), _Ear(faults)
    structlog.configure(processors=[hear])
    logging.getLogger().addHandler(ear)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(ear)
        structlog.configure(**before)


def settings(database_url: str, redis_url: str) -> Settings:
    """Settings with every optional feature enabled and without rate limits."""
    return settings_for(
        database_url,
        redis_url,
        registration="open",
        rate_limits="off",
        response_types="all",
        unsigned_request_objects="on",
        client_quota="1000000",
    )


@asynccontextmanager
async def serve(given: Settings) -> AsyncIterator[FuzzedServices]:
    """The services over stores that are migrated and empty."""
    faults: list[str] = []
    async with open_world(given) as world:
        for client in clients():
            await world.stores.clients.add(client)
        with _listening(faults):
            app = application(given, authorization, token, client_registry)
            async with TestClient(Served(app)) as http:
                yield FuzzedServices(http, faults)
