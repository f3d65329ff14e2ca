"""Access tokens for the API that a client names, from the authorization request on: RFC 8707."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from aiohttp import web

from shared.model import AuthorizationCode
from shared.oauth.client.record import Client
from shared.oauth.resource.record import ProtectedResource
from shared.oauth.supported import DEVICE_CODE
from shared.paths import DEVICE_AUTHORIZATION, TOKEN
from shared.server.resources import WATCH
from tests.authorization import AuthorizationService
from tests.deployment import ISSUER, TokenService, basic, unverified
from tests.planted import planted
from tests.planted.resources import (
    any_client_asks_for_any_resource,
    any_client_introspects,
    every_scope_counts_everywhere,
    identifiers_are_compared_as_written,
    refresh_ignores_resources,
    resources_are_not_kept,
    several_audiences_by_default,
    the_audience_stays_the_clients,
    the_form_stays_the_clients,
)

GRANTS = ("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE)
SCOPE = ("openid", "offline_access", "read", "write", "other")


async def an_api(service: TokenService | AuthorizationService, **fields: Any) -> ProtectedResource:
    """A registered resource with the scopes `read` and `write`."""
    host = f"api-{uuid4().hex[:12]}.example.org"
    defaults: dict[str, Any] = {
        "resource": f"https://{host}/mcp",
        "name": host,
        "scopes": {"read": {"en": "Read your notes"}, "write": {}},
    }
    api = ProtectedResource(**{**defaults, **fields})
    await service.world.stores.protected_resources.add(api)
    await _app(service)[WATCH].poll()
    return api


def _app(service: TokenService | AuthorizationService) -> web.Application:
    return service.app if isinstance(service, AuthorizationService) else service.http.app


async def a_client_of_apis(service: TokenService, **fields: Any) -> Client:
    """A confidential client of every grant type."""
    return await service.world.client(**{"grant_types": GRANTS, "scope": SCOPE, **fields})


async def a_code(service: TokenService, client: Client, *apis: ProtectedResource) -> AuthorizationCode:
    """A code whose grant is for *apis*."""
    sign_in = await service.world.sign_in()
    return sign_in.code(client.client_id, scope=SCOPE, resources=tuple(each.key for each in apis))


async def audience(service: TokenService, client: Client, answer: Any) -> tuple[str, ...]:
    """The audiences of the access token in an answer."""
    return tuple((await service.introspect(client, answer["access_token"]))["aud"])


@planted(the_form_stays_the_clients)
async def test_a_token_has_the_form_that_its_api_requires(tokens: TokenService) -> None:
    """Its lifetime and signing algorithm are the API's, also after a refresh, whatever the client's are."""
    client = await a_client_of_apis(tokens, access_token_lifetime=timedelta(minutes=30))
    form: dict[str, Any] = {"access_token_format": "jwt", "access_token_lifetime": timedelta(minutes=2)}
    for alg in ("RS256", "EdDSA"):
        api = await an_api(tokens, access_token_signing_alg=alg, **form)
        answer = await tokens.tokens(client, await a_code(tokens, client, api))
        refreshed = await (await tokens.refresh(client, answer["refresh_token"])).json()
        for each in (answer, refreshed):
            claims = unverified(each["access_token"])
            assert (claims["exp"] - claims["iat"], each["expires_in"]) == (120, 120)
            assert jwt.get_unverified_header(each["access_token"])["alg"] == alg


@planted(the_audience_stays_the_clients)
@pytest.mark.point("RI3", "RI10")
async def test_a_token_is_for_the_api_that_was_granted(tokens: TokenService) -> None:
    """RFC 8707 §2.2: its `aud` is the registered identifier alone, opaque or JWT."""
    client = await a_client_of_apis(tokens)
    opaque, self_contained = await an_api(tokens), await an_api(tokens, access_token_format="jwt")
    answer = await tokens.tokens(client, await a_code(tokens, client, opaque))
    assert await audience(tokens, client, answer) == (opaque.resource,)
    signed = await tokens.tokens(client, await a_code(tokens, client, self_contained))
    claims = unverified(signed["access_token"])
    assert (claims["aud"], claims["acr"]) == ([self_contained.resource], "urn:ostiary:acr:pwd")


@planted(several_audiences_by_default)
@pytest.mark.point("RI3")
async def test_of_several_apis_a_token_is_for_the_one_that_is_named(tokens: TokenService) -> None:
    """The client names one API for each token, as one API could replay a token for two at the other."""
    client, first, second = await a_client_of_apis(tokens), await an_api(tokens), await an_api(tokens)
    stranger = await an_api(tokens)
    code = await tokens.world.add_code(await a_code(tokens, client, first, second))
    for form in ({}, {"resource": stranger.resource}):
        refused = await tokens.redeem(client, code, **form)
        assert (refused.status, (await refused.json())["error"]) == (400, "invalid_target")
    answer = await (await tokens.redeem(client, code, resource=second.resource)).json()
    assert await audience(tokens, client, answer) == (second.resource,)


@planted(refresh_ignores_resources)
@pytest.mark.point("RI4", "RI9")
async def test_a_refresh_narrows_and_keeps_the_whole_set(tokens: TokenService) -> None:
    """Each refresh may name another granted API; one outside is refused, and the refresh token stays good."""
    client, first, second = await a_client_of_apis(tokens), await an_api(tokens), await an_api(tokens)
    stranger = await an_api(tokens)
    code = await tokens.world.add_code(await a_code(tokens, client, first, second))
    answer = await (await tokens.redeem(client, code, resource=first.resource)).json()
    refused = await tokens.refresh(client, answer["refresh_token"], resource=stranger.resource)
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_target")
    unnamed = await tokens.refresh(client, answer["refresh_token"])
    assert (unnamed.status, (await unnamed.json())["error"]) == (400, "invalid_target")
    for api in (second, first):
        answer = await (await tokens.refresh(client, answer["refresh_token"], resource=api.resource)).json()
        assert await audience(tokens, client, answer) == (api.resource,)


@planted(resources_are_not_kept)
@pytest.mark.point("RI9")
async def test_a_refresh_without_a_resource_keeps_the_audience(tokens: TokenService) -> None:
    """A refresh without `resource` keeps the audience."""
    client, api = await a_client_of_apis(tokens), await an_api(tokens)
    answer = await tokens.tokens(client, await a_code(tokens, client, api))
    for form in ({}, {"resource": api.resource}, {}):
        answer = await (await tokens.refresh(client, answer["refresh_token"], **form)).json()
        assert await audience(tokens, client, answer) == (api.resource,)


@planted(identifiers_are_compared_as_written)
@pytest.mark.point("RI7", "RI8")
async def test_spellings_of_one_identifier_are_one(tokens: TokenService) -> None:
    """Equivalent identifiers count as one, and `aud` has the registered spelling."""
    client, host = await a_client_of_apis(tokens), f"{uuid4().hex[:12]}.example.org"
    api = await an_api(tokens, resource=f"https://{host}", name=host)
    spellings = (f"https://{host}/", f"HTTPS://{host.upper()}", f"https://{host}:443/")
    for spelling in spellings:
        form = [("grant_type", "client_credentials"), ("resource", spelling), ("resource", api.resource)]
        response = await tokens.http.post(TOKEN.path, data=form, headers=basic(client.client_id))
        answer = await response.json()
        assert await audience(tokens, client, answer) == (api.resource,)


@planted(any_client_asks_for_any_resource)
@pytest.mark.point("RI1", "RI5")
async def test_only_registered_and_available_resources_may_be_named(tokens: TokenService) -> None:
    """Relative, with a fragment, unknown, or for other clients: `invalid_target`."""
    client = await a_client_of_apis(tokens)
    closed = await an_api(tokens, clients=("another",))
    mine = await an_api(tokens, clients=(client.client_id,))
    for named in (
        "/mcp",
        f"{mine.resource}#x",
        f"{mine.resource}#",
        "https://unknown.example",
        closed.resource,
    ):
        form = {"grant_type": "client_credentials", "resource": named}
        refused = await tokens.token(client, form)
        assert (refused.status, (await refused.json())["error"]) == (400, "invalid_target"), named
    form = {"grant_type": "client_credentials", "resource": mine.resource}
    assert (await tokens.token(client, form)).status == 200


@planted(every_scope_counts_everywhere)
@pytest.mark.point("RI6")
async def test_scopes_that_the_api_does_not_own_are_dropped(tokens: TokenService) -> None:
    """The answer's `scope` says so; what belongs to the grant itself stays."""
    client, api = await a_client_of_apis(tokens), await an_api(tokens)
    answer = await tokens.tokens(client, await a_code(tokens, client, api))
    assert answer["scope"] == "openid offline_access read write"
    form = {"grant_type": "client_credentials", "resource": api.resource, "scope": "other read"}
    assert (await (await tokens.token(client, form)).json())["scope"] == "read"


@planted(any_client_introspects)
@pytest.mark.point("RI10")
async def test_an_api_introspects_its_own_tokens_alone(tokens: TokenService) -> None:
    """The client that introspects for one API sees no token for another."""
    client = await a_client_of_apis(tokens)
    reader, other_reader = await a_client_of_apis(tokens), await a_client_of_apis(tokens)
    api = await an_api(tokens, introspection_clients=(reader.client_id,))
    await an_api(tokens, introspection_clients=(other_reader.client_id,))
    answer = await tokens.tokens(client, await a_code(tokens, client, api))
    assert (await tokens.introspect(reader, answer["access_token"]))["acr"] == "urn:ostiary:acr:pwd"
    assert await tokens.introspect(other_reader, answer["access_token"]) == {"active": False}


@planted(the_audience_stays_the_clients)
@pytest.mark.point("RI11")
async def test_a_token_for_an_api_is_none_for_userinfo(tokens: TokenService) -> None:
    """The issuer itself is the resource for userinfo, and what a client gets that names none."""
    client, api = await a_client_of_apis(tokens), await an_api(tokens)
    answer = await tokens.tokens(client, await a_code(tokens, client, api))
    assert (await tokens.userinfo(answer["access_token"])).status == 401
    plain = await tokens.tokens(client, replace(await a_code(tokens, client)))
    assert await audience(tokens, client, plain) == (ISSUER,)
    assert (await tokens.userinfo(plain["access_token"])).status == 200


@planted(any_client_asks_for_any_resource)
@pytest.mark.point("RI5")
async def test_a_device_asks_for_an_api(tokens: TokenService) -> None:
    """RFC 8628 §3.1: the request names it, or is refused."""
    client, api = await a_client_of_apis(tokens), await an_api(tokens)
    for resource, status in ((api.resource, 200), ("https://unknown.example", 400)):
        response = await tokens.post(DEVICE_AUTHORIZATION.path, {"resource": resource}, client)
        assert response.status == status
