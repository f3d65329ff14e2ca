"""The administration for tests: a caller with an access token, and a check of each answer."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from openapi_schema_validator import OAS31Validator

from services.accounts.administration.openapi.document import document as accounts_document
from services.accounts.app import mount as mount_accounts
from services.client_registry.administration.openapi.document import document as registry_document
from services.client_registry.app import mount as mount_client_registry
from services.token.app import mount as mount_token
from shared.oauth.client.record import Client
from shared.oauth.resource.own import ADMINISTRATION_SCOPES
from shared.paths import ADMIN_ACCOUNTS_OPENAPI, ADMIN_OPENAPI, PREFIX, REGISTRATION, TOKEN
from shared.server.app import application
from tests.builders import REDIRECT_URI, VERIFIER, SignIn, World
from tests.deployment import ISSUER, basic, bearer, open_world, settings_for
from tests.served import Served

DOCUMENTS: Sequence[Mapping[str, Any]] = [
    json.loads(json.dumps(document(ISSUER))) for document in (registry_document, accounts_document)
]


@dataclass(frozen=True, slots=True)
class AdministrationResponse:
    """A response that matches the OpenAPI description."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def etag(self) -> str:
        return self.headers["ETag"]


def _described(method: str, path: str) -> tuple[Any, Mapping[str, Any]]:
    """The operation of a path, and the document that describes it."""
    parts = path.partition("?")[0].split("/")
    for document in DOCUMENTS:
        for template, operations in document["paths"].items():
            wanted = template.split("/")
            if len(wanted) == len(parts) and all(
                one == other or one.startswith("{") for one, other in zip(wanted, parts, strict=True)
            ):
                return operations[method.lower()], document
    raise AssertionError(f"{path} is not described")


def check_answer(method: str, path: str, answer: AdministrationResponse) -> None:
    """Fails if the description has no such response."""
    operation, document = _described(method, path)
    described = operation["responses"][str(answer.status)]
    assert answer.headers["Cache-Control"] == "no-store"
    if "content" not in described:
        assert answer.body is None
        return
    schema = {**described["content"]["application/json"]["schema"], "components": document["components"]}
    OAS31Validator(schema).validate(answer.body)
    assert all(name in answer.headers for name in described.get("headers", {}))


@dataclass(frozen=True, slots=True)
class AdministrationApi:
    """The administration and a token service, and a client with every scope of the former."""

    http: TestClient[web.Request, web.Application]
    world: World
    client_id: str
    access_token: str

    async def ask(self, method: str, path: str, sent: Any = None, **headers: str) -> AdministrationResponse:
        """A request of the administrator. *sent*: members, or raw bytes."""
        return await self.ask_with({**bearer(self.access_token), **headers}, method, path, sent)

    async def ask_with(
        self, headers: Mapping[str, str], method: str, path: str, sent: Any = None
    ) -> AdministrationResponse:
        """A request with any credentials."""
        data = sent if isinstance(sent, bytes | None) else json.dumps(sent).encode()
        typed = {"Content-Type": "application/json"} if data is not None else {}
        response = await self.http.request(method, path, data=data, headers={**typed, **headers})
        text = await response.text()
        answer = AdministrationResponse(response.status, response.headers, json.loads(text) if text else None)
        check_answer(method, path, answer)
        return answer

    async def register(self, token: str) -> int:
        """The status of a registration with an initial access token."""
        response = await self.http.post(
            REGISTRATION.path, json={"redirect_uris": [REDIRECT_URI]}, headers=bearer(token)
        )
        return response.status

    async def token_of(self, client: Client, scope: str = "") -> str:
        """The access token of a client for itself."""
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        response = await self.http.post(TOKEN.path, data=form, headers=basic(client.client_id))
        assert response.status == 200, await response.text()
        return str((await response.json())["access_token"])

    async def user_token(self, client: Client, sign_in: SignIn, **fields: Any) -> str:
        """The access token that a user grants a client, with every scope of the administration."""
        code = sign_in.code(client.client_id, **{"scope": ("openid", *ADMINISTRATION_SCOPES), **fields})
        form = {
            "grant_type": "authorization_code",
            "code": await self.world.add_code(code),
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        response = await self.http.post(TOKEN.path, data=form, headers=basic(client.client_id))
        assert response.status == 200, await response.text()
        return str((await response.json())["access_token"])

    def inventory(self) -> set[tuple[str, str]]:
        """Every method and path of the administration that needs a token."""
        assert self.http.app is not None
        return {
            (route.method, route.resource.canonical)
            for route in self.http.app.router.routes()
            if route.resource and route.resource.canonical.startswith(f"{PREFIX}/admin")
        } - {
            (method, path.path)
            for method in ("GET", "HEAD")
            for path in (ADMIN_OPENAPI, ADMIN_ACCOUNTS_OPENAPI)
        }


@pytest.fixture
async def admin(database_url: str, redis_url: str) -> AsyncIterator[AdministrationApi]:
    """An administrator of a deployment."""
    settings = settings_for(database_url, redis_url, smtp_url="smtp://127.0.0.1:9")
    app = application(settings, mount_client_registry, mount_accounts, mount_token)
    async with open_world(settings) as world, TestClient(Served(app)) as http:
        client = await world.client(client_id="administrator", scope=(*ADMINISTRATION_SCOPES, "api:read"))
        unarmed = AdministrationApi(http, world, client.client_id, "")
        yield AdministrationApi(http, world, client.client_id, await unarmed.token_of(client))
