"""Every credential of a client or a browser, after everything that may have ended it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import ClientResponse, web

from services.token.endpoints.device_authorization import LIFETIME
from shared.live.randomness import new_handle
from shared.model import Approved, DeviceCode, User
from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind, digest
from shared.oauth.user_code import new_user_code
from shared.paths import END_SESSION
from shared.server.resources import WATCH
from tests.authorization import Browser
from tests.front_channel import Services

KINDS: Mapping[str, dict[str, Any]] = {
    "confidential": {},
    "public": {"token_endpoint_auth_method": "none", "secrets": (), "remember_consent": True},
    "JWT, without rotation": {"access_token_format": "jwt", "refresh_token_rotation": False},
}


@dataclass(frozen=True, slots=True)
class Held:
    """The credentials of one client and one browser for one user."""

    provider: Services
    browser: Browser
    user: User
    client: Client
    resource_server: Client
    code: str
    device_code: str
    offline: Mapping[str, str]
    online: Mapping[str, str]

    async def verdicts(self) -> dict[str, str]:
        """The verdict on every credential."""
        tokens = self.provider.tokens
        return {
            "offline access token": await self._access_token(self.offline["access_token"]),
            "online access token": await self._access_token(self.online["access_token"]),
            "cookie": await self._cookie(),
            "code": await _verdict(await tokens.redeem(self.client, self.code)),
            "device code": await _verdict(
                await tokens.token(self.client, {"grant_type": DEVICE_CODE, "device_code": self.device_code})
            ),
            "refresh token": await _verdict(await tokens.refresh(self.client, self.offline["refresh_token"])),
        }

    async def _access_token(self, value: str) -> str:
        """Userinfo and introspection must agree."""
        response = await self.provider.tokens.userinfo(value)
        described = await self.provider.tokens.introspect(self.resource_server, value)
        assert described["active"] is (response.status == 200)
        return await _verdict(response)

    async def _cookie(self) -> str:
        page = await self.browser.authorize(self.client, scope="openid", prompt="none")
        return page.answer.get("error", "good") if page.is_at_client else str(page.status)


async def _verdict(response: ClientResponse) -> str:
    return "good" if response.status == 200 else str((await response.json())["error"])


async def _held(provider: Services, fields: Mapping[str, Any]) -> Held:
    api = f"https://api-{uuid4().hex}.test"
    client = await provider.client(
        grant_types=("authorization_code", "refresh_token", DEVICE_CODE), audience=(api,), **fields
    )
    browser, user, tokens = provider.op.browser(), await provider.op.user(), provider.tokens
    page = await browser.sign_in(client, user, scope="openid offline_access", prompt="consent")
    offline = await (await tokens.redeem(client, page.answer["code"])).json()
    page = await browser.authorize(client, scope="openid", prompt="none")
    online = await (await tokens.redeem(client, page.answer["code"])).json()
    page = await browser.authorize(client, scope="openid", prompt="none")
    code = await provider.op.code(page)
    device_code = new_handle(Kind.DEVICE_CODE)
    pending = DeviceCode(
        client_id=client.client_id,
        scope=("openid",),
        user_code=new_user_code(lambda letters: letters[uuid4().int % len(letters)]),
        expires_at=code.expires_at,
        client_epoch=code.authorization.client_epoch,
    )
    codes = provider.world.stores.device_codes
    await codes.add(digest(device_code), pending, LIFETIME, 1000)
    await codes.decide(digest(device_code), pending, Approved(code.authorization, code.epoch))
    server = await provider.world.client(resource_identifiers=(api,))
    return Held(provider, browser, user, client, server, page.answer["code"], device_code, offline, online)


async def _disable_user(held: Held) -> None:
    await held.provider.world.stores.users.disable(held.user.user_id)


async def _disable_and_enable_user(held: Held) -> None:
    await held.provider.world.stores.users.disable(held.user.user_id)
    await held.provider.world.stores.users.enable(held.user.user_id)


async def _delete_user(held: Held) -> None:
    await held.provider.world.stores.users.delete(held.user.user_id)


async def _change_password(held: Held) -> None:
    await held.provider.world.stores.credentials.set_password(held.user.user_id, "$argon2id$nothing")


async def _end_all(held: Held) -> None:
    await held.provider.world.stores.users.end_all(held.user.user_id)


async def _log_out(held: Held) -> None:
    await held.browser.get(END_SESSION.path, {"id_token_hint": held.online["id_token"]})


async def _revoke_consent(held: Held) -> None:
    await held.provider.world.stores.consents.revoke(held.user.user_id, held.client.client_id)


async def _revoke_another_consent(held: Held) -> None:
    other = await held.provider.world.client()
    await held.provider.world.stores.consents.revoke(held.user.user_id, other.client_id)


async def _disable_client(held: Held) -> None:
    await held.provider.world.stores.clients.disable(held.client.client_id)
    await _tell(held)


async def _delete_client(held: Held) -> None:
    await held.provider.world.stores.clients.delete(held.client.client_id)
    await _tell(held)


async def _revoke_grants(held: Held) -> None:
    await held.provider.world.stores.clients.revoke_grants(held.client.client_id)
    await _tell(held)


async def _delete_and_add_client(held: Held) -> None:
    clients = held.provider.world.stores.clients
    client = await clients.find(held.client.client_id)
    assert client
    await clients.delete(client.client_id)
    await clients.add(client)
    await _tell(held)


async def _tell(held: Held) -> None:
    """Let each process poll for changes now."""
    tokens: web.Application | None = held.provider.tokens.http.app
    assert tokens is not None
    for app in (held.provider.op.app, tokens):
        await app[WATCH].poll()


NAMES = ("offline access token", "online access token", "cookie", "code", "device code", "refresh token")


def _each(*verdicts: str) -> dict[str, str]:
    return dict(zip(NAMES, verdicts, strict=True))


NO_USER = _each(*("invalid_token",) * 2, "login_required", *("invalid_grant",) * 3)
NO_CLIENT = _each(*("invalid_token",) * 2, "400", *("invalid_client",) * 3)

ENDINGS: Mapping[str, tuple[Callable[[Held], Awaitable[None]], Mapping[str, str]]] = {
    "user disabled": (_disable_user, NO_USER),
    "user disabled and enabled again": (_disable_and_enable_user, NO_USER),
    "user deleted": (_delete_user, NO_USER),
    "password changed": (_change_password, NO_USER),
    "signed out everywhere": (_end_all, NO_USER),
    "signed out": (_log_out, {**NO_USER, "offline access token": "good", "refresh token": "good"}),
    "consent revoked": (_revoke_consent, {**NO_USER, "cookie": "consent_required"}),
    "consent for another revoked": (
        _revoke_another_consent,
        _each(*("good",) * 3, *("invalid_grant",) * 2, "good"),
    ),
    "client disabled": (_disable_client, NO_CLIENT),
    "client deleted": (_delete_client, NO_CLIENT),
    "client's grants revoked": (_revoke_grants, {**NO_USER, "cookie": "good"}),
    "client deleted and added again": (_delete_and_add_client, {**NO_USER, "cookie": "consent_required"}),
}


@pytest.mark.parametrize("fields", KINDS.values(), ids=KINDS.keys())
async def test_while_nothing_has_ended_all_of_it_holds(provider: Services, fields: dict[str, Any]) -> None:
    """Everything works before the end, or the other tests could not fail."""
    assert await (await _held(provider, fields)).verdicts() == _each(*("good",) * 6)


@pytest.mark.parametrize("fields", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(("end", "expected"), ENDINGS.values(), ids=ENDINGS.keys())
async def test_what_has_ended_has_ended_for_all_of_it(
    provider: Services,
    end: Callable[[Held], Awaitable[None]],
    expected: Mapping[str, str],
    fields: dict[str, Any],
) -> None:
    """State is compared at use. Only offline grants outlive the browser's session."""
    held = await _held(provider, fields)
    await end(held)
    assert await held.verdicts() == expected
