"""Refusals for tests: log events, and a deployment that has every service."""

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec

import services
import shared
from shared.live import clock
from shared.live.randomness import new_handle
from shared.model import DeviceCode
from shared.oauth.client.record import Client
from shared.oauth.errors import OAuthError
from shared.oauth.resource.own import READ_CLIENTS, WRITE_CLIENTS, WRITE_USERS
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind, digest
from tests.authorization import AuthorizationService, Browser
from tests.deployment import TokenService, bearer
from tests.registry import URI, Registry

STATEMENT_KEY = ec.generate_private_key(ec.SECP256R1())
PUBLISHER = "https://publisher.test"

Event = dict[str, Any]


@contextmanager
def refusals() -> Iterator[list[Event]]:
    """The refusals that are logged within the block."""
    found: list[Event] = []
    with structlog.testing.capture_logs() as logs:
        yield found
    found += [dict(event) for event in logs if event["event"] == "refused"]


def every_error() -> set[str]:
    """The code of each error class in the tree."""
    for package in (services, shared):
        _import(package)
    found, waiting = set[str](), [OAuthError]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        found |= {kind.error for kind in kinds}
        waiting += kinds
    return found


def _import(package: ModuleType) -> None:
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


ADMINISTERING = (READ_CLIENTS, WRITE_CLIENTS, WRITE_USERS)
"""The scopes of a client that administers."""


@dataclass(frozen=True, slots=True)
class AllServices:
    """Every service of a deployment in one process, and the `monkeypatch` for it."""

    op: AuthorizationService
    tokens: TokenService
    registry: Registry
    monkeypatch: pytest.MonkeyPatch

    async def client(self, **fields: Any) -> Client:
        """A confidential client."""
        return await self.op.client(**fields)

    async def administer(self, method: str, path: str, members: Any = URI, **headers: str) -> str:
        """A request of a client that administers; its client_id."""
        client = await self.client(scope=ADMINISTERING)
        form = {"grant_type": "client_credentials", "scope": " ".join(ADMINISTERING)}
        answer = await self.tokens.token(client, form)
        headers |= bearer((await answer.json())["access_token"])
        await self.tokens.http.request(method, path, json=members, headers=headers)
        return client.client_id

    async def browser_of(self, client: Client) -> Browser:
        """A browser whose user has just allowed the client something."""
        browser = self.op.browser()
        await browser.sign_in(client, await self.op.user())
        return browser

    async def authorize(self, **parameters: str) -> str:
        """A client's request by a browser that is signed in nowhere; the client."""
        client = await self.client()
        await self.op.browser().authorize(client, **parameters)
        return client.client_id

    async def device(self, **fields: Any) -> tuple[Client, str]:
        """A device's client and the code that it polls with."""
        client = await self.client(grant_types=(DEVICE_CODE,))
        handle = new_handle(Kind.DEVICE_CODE)
        later = clock.now() + timedelta(minutes=5)
        code = DeviceCode(
            **{"client_id": client.client_id, "scope": ("openid",), "user_code": "BCDF-GHJK"}
            | {"expires_at": later}
            | fields
        )
        await self.op.world.stores.device_codes.add(digest(handle), code, timedelta(minutes=5), 10)
        return client, handle

    async def poll(self, client: Client, handle: str) -> None:
        """Ask for the tokens of a device code."""
        await self.tokens.token(client, {"grant_type": DEVICE_CODE, "device_code": handle})

    async def register(self, **members: Any) -> None:
        """Register with an initial access token."""
        await self.registry.post({**URI, **members}, await self.registry.token())
