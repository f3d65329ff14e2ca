"""For each error of the protocol one request that is refused with it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt

from services.authorization.request.storage_limits import StorageLimits
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENTS,
    AUTHORIZATION,
    CONSENT,
    LOGIN,
    LOGOUT,
    REGISTRATION,
    TOKEN,
    USERINFO,
    Path,
)
from tests.deployment import basic
from tests.refusals import STATEMENT_KEY, Provider
from tests.registry import URI

Request = Callable[[Provider], Awaitable[str | None]]
"""Makes a request that is refused; the client_id that its refusal must name."""


async def _denied(provider: Provider) -> str:
    client, browser = await provider.client(), provider.op.browser()
    page = await browser.authorize(client)
    await browser.decide(await browser.log_in(page, await provider.op.user()), "deny")
    return client.client_id


async def _invalid_client(provider: Provider) -> str:
    client = await provider.client()
    await provider.tokens.token(None, {"grant_type": "x"}, headers=basic(client.client_id, "wrong"))
    return client.client_id


async def _invalid_grant(provider: Provider) -> str:
    client = await provider.client()
    await provider.tokens.redeem(client, new_handle(Kind.AUTHORIZATION_CODE))
    return client.client_id


async def _unauthorized_client(provider: Provider) -> str:
    client = await provider.client()
    await provider.tokens.token(client, {"grant_type": DEVICE_CODE})
    return client.client_id


async def _unsupported_grant_type(provider: Provider) -> str:
    client = await provider.client()
    await provider.tokens.token(client, {"grant_type": "password"})
    return client.client_id


async def _busy(provider: Provider) -> str:
    async def check(*_: object) -> None:
        raise PasswordQueueFull

    provider.monkeypatch.setattr(Passwords, "check", check)
    client, browser = await provider.client(), provider.op.browser()
    await browser.log_in(await browser.authorize(client), await provider.op.user())
    return client.client_id


async def _consent_required(provider: Provider) -> str:
    client = await provider.client()
    browser = await provider.browser_of(client)
    other = await provider.client()
    await browser.authorize(other, prompt="none")
    return other.client_id


async def _invalid_token(provider: Provider) -> None:
    await provider.tokens.userinfo("at_unknown")


async def _insufficient_scope(provider: Provider) -> str:
    client = await provider.client()
    answer = await provider.tokens.token(client, {"grant_type": "client_credentials", "scope": "api:read"})
    await provider.tokens.userinfo((await answer.json())["access_token"])
    return client.client_id


async def _pending(provider: Provider) -> str:
    client, handle = await provider.device()
    await provider.poll(client, handle)
    return client.client_id


async def _too_fast(provider: Provider) -> str:
    client, handle = await provider.device()
    await provider.poll(client, handle)
    await provider.poll(client, handle)
    return client.client_id


async def _expired_code(provider: Provider) -> str:
    client, handle = await provider.device(expires_at=clock.now())
    await provider.poll(client, handle)
    return client.client_id


async def _cookie_missing(provider: Provider) -> str:
    client = await provider.client()
    page = await provider.op.browser().authorize(client)
    await provider.op.browser().get(LOGIN.path, page.hidden)
    return client.client_id


async def _expired(provider: Provider) -> str:
    client = await provider.client()
    await provider.op.browser().get(LOGIN.path, {"interaction": "gone", "client": client.client_id})
    return client.client_id


async def _stale_form(provider: Provider) -> None:
    origin = {"Origin": provider.op.settings.origin}
    await provider.op.browser().request("POST", LOGOUT.path, data={"form_token": "x"}, headers=origin)


async def _throttled(provider: Provider) -> str:
    provider.monkeypatch.setattr(StorageLimits, "interaction", lambda *_: timedelta(seconds=1))
    return await provider.authorize()


async def _conflict(provider: Provider) -> str:
    client = await provider.client()
    return await provider.administer("POST", ADMIN_CLIENTS.path, {**URI, "client_id": client.client_id})


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is refused, and where."""

    path: Path
    request: Request
    detail: str = ""
    """What the logged detail must contain."""


def _asked(**parameters: str) -> Request:
    return lambda provider: provider.authorize(**parameters)


def _registered(**members: Any) -> Request:
    return lambda provider: provider.register(**members)


def _administered(method: str, path: Callable[[str], str], **headers: str) -> Request:
    async def request(provider: Provider) -> str:
        client = await provider.client()
        return await provider.administer(method, path(client.client_id), **headers)

    return request


_UNKNOWN_PUBLISHER = jwt.encode({"iss": "https://other.test"}, STATEMENT_KEY, "ES256")
_ACR = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:nowhere"]}}})

REFUSED: Mapping[str, Refused] = {
    "invalid_request": Refused(AUTHORIZATION, _asked(code_challenge=""), "code_challenge_method"),
    "unsupported_response_type": Refused(AUTHORIZATION, _asked(response_type="magic"), "sent: magic"),
    "invalid_scope": Refused(AUTHORIZATION, _asked(scope="gardening"), "sent: gardening; registered: openid"),
    "login_required": Refused(AUTHORIZATION, _asked(prompt="none"), "nobody is signed in"),
    "consent_required": Refused(AUTHORIZATION, _consent_required, "has not allowed"),
    "access_denied": Refused(CONSENT, _denied, "did not allow"),
    "invalid_request_uri": Refused(
        AUTHORIZATION,
        _asked(request_uri="https://rp1.test/request?secret=1"),
        "sent: https://rp1.test/request?…; registered: none",
    ),
    "invalid_request_object": Refused(AUTHORIZATION, _asked(request="a.b.c"), "request object"),
    "registration_not_supported": Refused(AUTHORIZATION, _asked(registration="{}"), "registration"),
    "unmet_authentication_requirements": Refused(AUTHORIZATION, _asked(claims=_ACR), "acr"),
    "too_many_requests": Refused(AUTHORIZATION, _throttled, "too many requests"),
    "expired": Refused(LOGIN, _expired, "no such interaction"),
    "cookie_missing": Refused(LOGIN, _cookie_missing, "cookie"),
    "temporarily_unavailable": Refused(LOGIN, _busy),
    "invalid_client": Refused(TOKEN, _invalid_client, "secret is wrong"),
    "invalid_grant": Refused(TOKEN, _invalid_grant, "unknown, expired or spent"),
    "unauthorized_client": Refused(TOKEN, _unauthorized_client, f"sent: {DEVICE_CODE}; registered: auth"),
    "unsupported_grant_type": Refused(TOKEN, _unsupported_grant_type, "sent: password"),
    "authorization_pending": Refused(TOKEN, _pending, "has not decided"),
    "slow_down": Refused(TOKEN, _too_fast, "wait"),
    "expired_token": Refused(TOKEN, _expired_code, "expired"),
    "insufficient_scope": Refused(USERINFO, _insufficient_scope, "openid"),
    "not_found": Refused(
        ADMIN_CLIENT, _administered("GET", lambda _: ADMIN_CLIENT.for_client("nobody")), "no such client"
    ),
    "conflict": Refused(ADMIN_CLIENTS, _conflict, "taken"),
    "precondition_failed": Refused(
        ADMIN_CLIENT, _administered("PUT", ADMIN_CLIENT.for_client, **{"If-Match": '"99"'}), "changed"
    ),
    "precondition_required": Refused(ADMIN_CLIENT, _administered("PUT", ADMIN_CLIENT.for_client), "If-Match"),
}
"""By error: the requests that name a client."""

NAMELESS: Mapping[str, Refused] = {
    "stale_form": Refused(LOGOUT, _stale_form, "another session"),
    "invalid_token": Refused(USERINFO, _invalid_token, "malformed"),
    "invalid_client_metadata": Refused(REGISTRATION, _registered(grant_types=["x"]), "grant_types"),
    "invalid_redirect_uri": Refused(REGISTRATION, _registered(redirect_uris=["x"]), "redirect_uris"),
    "invalid_software_statement": Refused(REGISTRATION, _registered(software_statement="x"), "JWS"),
    "unapproved_software_statement": Refused(
        REGISTRATION, _registered(software_statement=_UNKNOWN_PUBLISHER), "not trusted"
    ),
}
"""By error: the requests that name none."""
