"""A request for each error of the protocol."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt

from services.accounts.administration.users import UserAdministration
from services.authorization.request.storage_limits import StorageLimits
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.resource.demand import AuthenticationDemand
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind
from shared.operations.recovery import LINK, AccountOnHold
from shared.paths import (
    ACCOUNT,
    ACCOUNT_RECOVERY,
    ADMIN_CLIENT,
    ADMIN_CLIENTS,
    ADMIN_USERS,
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
from tests.refusals import STATEMENT_KEY, AllServices
from tests.registry import URI

Request = Callable[[AllServices], Awaitable[str | None]]
"""Makes a request that is refused; the client_id that its refusal must name."""


async def _denied(provider: AllServices) -> str:
    client, browser = await provider.client(), provider.op.browser()
    page = await browser.authorize(client)
    await browser.decide(await browser.log_in(page, await provider.op.user()), "deny")
    return client.client_id


async def _invalid_client(provider: AllServices) -> str:
    client = await provider.client()
    await provider.tokens.token(None, {"grant_type": "x"}, headers=basic(client.client_id, "wrong"))
    return client.client_id


async def _invalid_grant(provider: AllServices) -> str:
    client = await provider.client()
    await provider.tokens.redeem(client, new_handle(Kind.AUTHORIZATION_CODE))
    return client.client_id


async def _unauthorized_client(provider: AllServices) -> str:
    client = await provider.client()
    await provider.tokens.token(client, {"grant_type": DEVICE_CODE})
    return client.client_id


async def _unsupported_grant_type(provider: AllServices) -> str:
    client = await provider.client()
    await provider.tokens.token(client, {"grant_type": "password"})
    return client.client_id


async def _busy(provider: AllServices) -> str:
    async def check(*_: object) -> None:
        raise PasswordQueueFull

    provider.monkeypatch.setattr(Passwords, "check", check)
    client, browser = await provider.client(), provider.op.browser()
    await browser.log_in(await browser.authorize(client), await provider.op.user())
    return client.client_id


async def _consent_required(provider: AllServices) -> str:
    client = await provider.client()
    browser = await provider.browser_of(client)
    other = await provider.client()
    await browser.authorize(other, prompt="none")
    return other.client_id


async def _invalid_token(provider: AllServices) -> None:
    await provider.tokens.userinfo("at_unknown")


async def _insufficient_scope(provider: AllServices) -> str:
    client = await provider.client()
    answer = await provider.tokens.token(client, {"grant_type": "client_credentials", "scope": "api:read"})
    await provider.tokens.userinfo((await answer.json())["access_token"])
    return client.client_id


async def _insufficient_user_authentication(provider: AllServices) -> str:
    provider.monkeypatch.setattr(AuthenticationDemand, "is_met", lambda *_: False)
    client = await provider.client()
    await provider.tokens.userinfo((await provider.tokens.tokens(client))["access_token"])
    return client.client_id


async def _account_held(provider: AllServices) -> str:
    provider.monkeypatch.setattr(UserAdministration, "check_not_held", _held)
    return await provider.administer("POST", ADMIN_USERS.path, {"username": "ada"})


async def _held(*_: object) -> None:
    raise AccountOnHold(clock.now())


async def _pending(provider: AllServices) -> str:
    client, handle = await provider.device()
    await provider.poll(client, handle)
    return client.client_id


async def _too_fast(provider: AllServices) -> str:
    client, handle = await provider.device()
    await provider.poll(client, handle)
    await provider.poll(client, handle)
    return client.client_id


async def _expired_code(provider: AllServices) -> str:
    client, handle = await provider.device(expires_at=clock.now())
    await provider.poll(client, handle)
    return client.client_id


async def _cookie_missing(provider: AllServices) -> str:
    client = await provider.client()
    page = await provider.op.browser().authorize(client)
    await provider.op.browser().get(LOGIN.path, page.hidden)
    return client.client_id


async def _expired(provider: AllServices) -> str:
    client = await provider.client()
    await provider.op.browser().get(LOGIN.path, {"interaction": "gone", "client": client.client_id})
    return client.client_id


async def _stale_form(provider: AllServices) -> None:
    origin = {"Origin": provider.op.settings.origin}
    await provider.op.browser().request("POST", LOGOUT.path, data={"form_token": "x"}, headers=origin)


async def _declined(provider: AllServices) -> None:
    await provider.op.browser().get(ACCOUNT.path, {"error": "access_denied"})


async def _no_link(provider: AllServices) -> None:
    await provider.op.browser().get(ACCOUNT_RECOVERY.path, {LINK: new_handle(Kind.RECOVERY_LINK)})


async def _throttled(provider: AllServices) -> str:
    provider.monkeypatch.setattr(StorageLimits, "interaction", lambda *_: timedelta(seconds=1))
    return await provider.authorize()


async def _conflict(provider: AllServices) -> str:
    client = await provider.client()
    return await provider.administer("POST", ADMIN_CLIENTS.path, {**URI, "client_id": client.client_id})


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A refused request, its endpoint, and a part of the description."""

    path: Path
    request: Request
    detail: str = ""
    """What the logged detail must contain."""


def _asked(**parameters: str) -> Request:
    return lambda provider: provider.authorize(**parameters)


def _registered(**members: Any) -> Request:
    return lambda provider: provider.register(**members)


def _administered(method: str, path: Callable[[str], str], **headers: str) -> Request:
    async def request(provider: AllServices) -> str:
        client = await provider.client()
        return await provider.administer(method, path(client.client_id), **headers)

    return request


_UNKNOWN_PUBLISHER = jwt.encode({"iss": "https://other.test"}, STATEMENT_KEY, "ES256")
_ACR = json.dumps({"id_token": {"acr": {"essential": True, "values": ["urn:nowhere"]}}})

REFUSED: Mapping[str, RefusedRequest] = {
    "invalid_request": RefusedRequest(AUTHORIZATION, _asked(code_challenge=""), "code_challenge_method"),
    "unsupported_response_type": RefusedRequest(AUTHORIZATION, _asked(response_type="magic"), "sent: magic"),
    "invalid_scope": RefusedRequest(
        AUTHORIZATION, _asked(scope="gardening"), "sent: gardening; registered: openid"
    ),
    "invalid_target": RefusedRequest(
        AUTHORIZATION, _asked(resource="https://unknown.example"), "resource is not registered"
    ),
    "login_required": RefusedRequest(AUTHORIZATION, _asked(prompt="none"), "nobody is signed in"),
    "consent_required": RefusedRequest(AUTHORIZATION, _consent_required, "has not allowed"),
    "access_denied": RefusedRequest(CONSENT, _denied, "denied the request"),
    "invalid_request_uri": RefusedRequest(
        AUTHORIZATION,
        _asked(request_uri="https://rp1.test/request?secret=1"),
        "sent: https://rp1.test/request?…; registered: none",
    ),
    "invalid_request_object": RefusedRequest(AUTHORIZATION, _asked(request="a.b.c"), "request object"),
    "registration_not_supported": RefusedRequest(AUTHORIZATION, _asked(registration="{}"), "registration"),
    "unmet_authentication_requirements": RefusedRequest(AUTHORIZATION, _asked(claims=_ACR), "acr"),
    "too_many_requests": RefusedRequest(AUTHORIZATION, _throttled, "too many sign-ins"),
    "expired": RefusedRequest(LOGIN, _expired, "does not exist any more"),
    "cookie_missing": RefusedRequest(LOGIN, _cookie_missing, "cookie"),
    "temporarily_unavailable": RefusedRequest(LOGIN, _busy),
    "invalid_client": RefusedRequest(TOKEN, _invalid_client, "secret is wrong"),
    "invalid_grant": RefusedRequest(TOKEN, _invalid_grant, "unknown, expired or spent"),
    "unauthorized_client": RefusedRequest(
        TOKEN, _unauthorized_client, f"sent: {DEVICE_CODE}; registered: auth"
    ),
    "unsupported_grant_type": RefusedRequest(TOKEN, _unsupported_grant_type, "sent: password"),
    "authorization_pending": RefusedRequest(TOKEN, _pending, "has not decided"),
    "slow_down": RefusedRequest(TOKEN, _too_fast, "wait"),
    "expired_token": RefusedRequest(TOKEN, _expired_code, "expired"),
    "insufficient_scope": RefusedRequest(USERINFO, _insufficient_scope, "openid"),
    "insufficient_user_authentication": RefusedRequest(
        USERINFO, _insufficient_user_authentication, "sign in"
    ),
    "account_held": RefusedRequest(ADMIN_USERS, _account_held, "recovered"),
    "not_found": RefusedRequest(
        ADMIN_CLIENT, _administered("GET", lambda _: ADMIN_CLIENT.for_client("nobody")), "no such client"
    ),
    "conflict": RefusedRequest(ADMIN_CLIENTS, _conflict, "taken"),
    "precondition_failed": RefusedRequest(
        ADMIN_CLIENT, _administered("PUT", ADMIN_CLIENT.for_client, **{"If-Match": '"99"'}), "changed"
    ),
    "precondition_required": RefusedRequest(
        ADMIN_CLIENT, _administered("PUT", ADMIN_CLIENT.for_client), "If-Match"
    ),
}
"""By error: the requests that name a client."""

NAMELESS: Mapping[str, RefusedRequest] = {
    "sign_in_declined": RefusedRequest(ACCOUNT, _declined, "did not sign in"),
    "link_expired": RefusedRequest(ACCOUNT_RECOVERY, _no_link, "no such link"),
    "stale_form": RefusedRequest(LOGOUT, _stale_form, "another session"),
    "invalid_token": RefusedRequest(USERINFO, _invalid_token, "malformed"),
    "invalid_client_metadata": RefusedRequest(REGISTRATION, _registered(grant_types=["x"]), "grant_types"),
    "invalid_redirect_uri": RefusedRequest(REGISTRATION, _registered(redirect_uris=["x"]), "redirect_uris"),
    "invalid_software_statement": RefusedRequest(REGISTRATION, _registered(software_statement="x"), "JWS"),
    "unapproved_software_statement": RefusedRequest(
        REGISTRATION, _registered(software_statement=_UNKNOWN_PUBLISHER), "not trusted"
    ),
}
"""By error: the requests that name none."""
