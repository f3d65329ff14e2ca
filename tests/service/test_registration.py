"""The client-registry service over HTTP, with real stores."""

import asyncio
import itertools

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.tokens.handle import Kind
from shared.oauth.tokens.keys import public_jwk
from shared.operations.invitations import invite
from shared.paths import CLIENT_CONFIGURATION, REGISTRATION
from tests.deployment import ISSUER
from tests.outages import failing_from
from tests.planted import planted
from tests.planted.oauth import policy_of_what_was
from tests.planted.protocol import no_token_in_answers
from tests.planted.registration import reads_what_it_wrote, spends_the_token_first
from tests.registry import URI, Registry, serve_registry


@pytest.mark.point(18)
async def test_a_registration_answers_with_the_effective_metadata(registry: Registry) -> None:
    """RFC 7591 §3.2.1, RFC 7592 §3."""
    response = await registry.post({**URI, "client_name": "Näme", "unknown": 1}, await registry.token())
    client = await response.json()
    assert (response.status, response.headers["Cache-Control"]) == (201, "no-store")
    assert client["redirect_uris"] == URI["redirect_uris"]
    assert (client["client_name"], client["client_secret_expires_at"]) == ("Näme", 0)
    assert len(client["client_secret"]) >= 43
    assert client["registration_client_uri"] == f"{ISSUER}/oauth2/register/{client['client_id']}"
    assert client["client_id_issued_at"] > 0
    assert "unknown" not in client


@pytest.mark.point(18)
async def test_everything_that_is_registered_is_echoed(registry: Registry) -> None:
    """RFC 7591 §3.2.1: at registration and when it is read; keys that are named and keys that are not."""
    keys = [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()) for _ in range(2)]
    members = {
        **URI,
        "application_type": "web",
        "client_name": "Files",
        "client_uri": "https://rp.test/",
        "logo_uri": "https://rp.test/logo.png",
        "policy_uri": "https://rp.test/policy",
        "tos_uri": "https://rp.test/terms",
        "contacts": ["ada@rp.test"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "openid email",
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [keys[0], {**keys[1], "kid": "second", "use": "sig"}]},
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "RS256",
        "request_object_signing_alg": "ES256",
        "request_uris": ["https://rp.test/request#hash"],
        "default_max_age": 600,
        "require_auth_time": True,
        "default_acr_values": ["urn:ostiary:acr:pwd"],
        "subject_type": "pairwise",
        "initiate_login_uri": "https://rp.test/login",
        "post_logout_redirect_uris": ["https://rp.test/signed-out"],
        "frontchannel_logout_uri": "https://rp.test/front",
        "frontchannel_logout_session_required": True,
        "backchannel_logout_uri": "https://rp.test/back",
        "backchannel_logout_session_required": True,
        "software_id": "files",
        "software_version": "1",
    }
    made = await registry.register(members)
    shown = await registry.ask("GET", made["client_id"], made["registration_access_token"])
    for answer in (made, await shown.json()):
        assert {name: answer.get(name) for name in members} == members
    assert "client_secret" not in made


@pytest.mark.point(18)
async def test_keys_may_be_registered_by_reference(registry: Registry) -> None:
    """`jwks_uri`; it is not fetched before there is something to verify."""
    members = {
        **URI,
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks_uri": "https://rp.test/jwks.json",
    }
    assert (await registry.register(members))["jwks_uri"] == members["jwks_uri"]


@pytest.mark.point(18)
async def test_the_registration_access_token_reads_changes_and_deletes(registry: Registry) -> None:
    """RFC 7592 §2; the secret shows only when it is made."""
    made = await registry.register()
    client_id, token = made["client_id"], made["registration_access_token"]
    shown = await registry.ask("GET", client_id, token)
    assert shown.status == 200
    assert "client_secret" not in await shown.json()
    members = {**URI, "client_id": client_id, "client_secret": made["client_secret"], "client_name": "New"}
    changed = await registry.ask("PUT", client_id, token, members)
    assert changed.status == 200
    assert (await changed.json())["client_name"] == "New"
    deleted = await registry.ask("DELETE", client_id, token)
    assert deleted.status == 204
    assert (await registry.ask("GET", client_id, token)).status == 401


@planted(no_token_in_answers)
async def test_every_answer_has_the_registration_access_token(registry: Registry) -> None:
    """RFC 7592 §3: it is REQUIRED; it is never rotated, so it is the one presented."""
    made = await registry.register()
    client_id, token = made["client_id"], made["registration_access_token"]
    read = await (await registry.ask("GET", client_id, token)).json()
    changed = await (await registry.ask("PUT", client_id, token, read)).json()
    assert read["registration_access_token"] == changed["registration_access_token"] == token
    assert changed == read


@planted(policy_of_what_was)
async def test_a_client_that_makes_itself_public_needs_pkce(registry: Registry) -> None:
    """RFC 9700 §2.1.1: the policy is that of a public client, not that of the one it was."""
    made = await registry.register()
    client_id, token = made["client_id"], made["registration_access_token"]
    members = {**URI, "client_id": client_id, "token_endpoint_auth_method": "none"}
    assert (await registry.ask("PUT", client_id, token, members)).status == 200
    client = await registry.world.stores.clients.find(client_id)
    assert client
    assert (client.is_public, client.require_pkce, client.remember_consent) == (True, True, False)


async def test_a_client_that_becomes_confidential_gets_its_secret_once(registry: Registry) -> None:
    """A client that becomes confidential gets a secret once; one that becomes public loses it."""
    made = await registry.register({**URI, "token_endpoint_auth_method": "none"})
    client_id, token = made["client_id"], made["registration_access_token"]
    assert "client_secret" not in made
    confidential = await registry.ask("PUT", client_id, token, {**URI, "client_id": client_id})
    assert "client_secret" in await confidential.json()
    again = await registry.ask("PUT", client_id, token, {**URI, "client_id": client_id})
    assert "client_secret" not in await again.json()
    await registry.ask(
        "PUT", client_id, token, {**URI, "client_id": client_id, "token_endpoint_auth_method": "none"}
    )
    kept = await registry.world.stores.clients.find(client_id)
    assert kept
    assert kept.secrets == ()


@pytest.mark.point(18)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_only_its_own_token_opens_a_client(registry: Registry, method: str) -> None:
    """Every other token gets 401 without information about the client."""
    victim, other, deleted = [await registry.register() for _ in range(3)]
    await registry.ask("DELETE", deleted["client_id"], deleted["registration_access_token"])
    tokens = [
        None,
        other["registration_access_token"],
        deleted["registration_access_token"],
        new_handle(Kind.REGISTRATION_ACCESS_TOKEN),
        new_handle(Kind.ACCESS_TOKEN),
        await registry.token(),
        victim["client_secret"],
        victim["client_id"],
    ]
    for token in tokens:
        for client_id in (victim["client_id"], deleted["client_id"], "nobody", "%00", "%ED%A0%80"):
            answer = await registry.ask(method, client_id, token, {**URI, "client_id": client_id})
            assert (answer.status, set(await answer.json())) == (401, {"error", "error_description"})
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert (await registry.ask("GET", victim["client_id"], victim["registration_access_token"])).status == 200


async def test_a_disabled_client_does_not_come_back_by_itself(registry: Registry) -> None:
    """PUT and DELETE are refused, and it stays disabled."""
    made = await registry.register()
    client_id, token = made["client_id"], made["registration_access_token"]
    await registry.world.stores.clients.disable(client_id)
    for method in ("PUT", "DELETE"):
        answer = await registry.ask(method, client_id, token, {**URI, "client_id": client_id})
        assert answer.status == 403
    kept = await registry.world.stores.clients.find(client_id)
    assert kept
    assert kept.disabled_at


@pytest.mark.point(18)
@pytest.mark.parametrize("given", [{}, {"client_id": "another"}, {"client_secret": "chosen"}])
async def test_an_update_chooses_neither_client_id_nor_secret(
    registry: Registry, given: dict[str, str]
) -> None:
    """RFC 7592 §2.2."""
    made = await registry.register()
    own = {"client_id": made["client_id"]} if "client_secret" in given else {}
    answer = await registry.ask(
        "PUT", made["client_id"], made["registration_access_token"], {**URI, **own, **given}
    )
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_client_metadata")


@pytest.mark.point(20)
@pytest.mark.parametrize("kind", [None, Kind.INITIAL_ACCESS_TOKEN, Kind.REGISTRATION_ACCESS_TOKEN])
async def test_without_a_good_initial_access_token_nobody_registers(
    registry: Registry, kind: Kind | None
) -> None:
    """Missing, unknown and other tokens are refused."""
    answer = await registry.post(URI, new_handle(kind) if kind else None)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_an_expired_initial_access_token_is_none(registry: Registry) -> None:
    """An expired token is refused, even with uses left."""
    gone = await invite(registry.world.stores.initial_access_tokens, 5, clock.now())
    answer = await registry.post(URI, gone.token)
    assert (answer.status, (await answer.json())["error"]) == (401, "invalid_token")


@pytest.mark.point(20)
async def test_an_initial_access_token_counts_exactly_under_a_race(registry: Registry) -> None:
    """Of ten concurrent registrations with three uses, three succeed."""
    token = await registry.token(3)
    answers = await asyncio.gather(*(registry.post(URI, token) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [401] * 7
    assert len(await registry.world.stores.clients.list(None, 100)) == 3


@planted(spends_the_token_first)
async def test_an_outage_spends_no_initial_access_token(registry: Registry) -> None:
    """Whichever statement fails, the answer is 503, and a token for one use registers a client afterwards."""
    token = await registry.token(1)
    for number in itertools.count(1):
        with failing_from(number) as failed:
            answer = await registry.post(URI, token)
        if answer.status == 201:
            break
        assert (answer.status, bool(failed)) == (503, True)
    assert number > 2
    assert (await answer.json())["registration_access_token"]
    assert len(await registry.world.stores.clients.list(None, 100)) == 1


@planted(reads_what_it_wrote)
async def test_an_outage_keeps_no_secret_back(registry: Registry) -> None:
    """A client that changes itself gets what is shown only once, although what it wrote cannot be read."""
    made = await registry.register({**URI, "token_endpoint_auth_method": "none"})
    client_id, token = made["client_id"], made["registration_access_token"]
    members = {**URI, "client_id": client_id}
    for number in itertools.count(1):
        with failing_from(number):
            answer = await registry.ask("PUT", client_id, token, members)
        if answer.status == 200:
            break
        assert answer.status == 503
    assert (await answer.json())["client_secret"]


async def test_refused_metadata_spend_nothing(registry: Registry) -> None:
    """Refused metadata do not spend the token."""
    token = await registry.token(1)
    assert (await registry.post({"redirect_uris": ["http://evil/"]}, token)).status == 400
    assert (await registry.post(URI, token)).status == 201
    assert (await registry.post(URI, token)).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'{"redirect_uris": ["https://rp.test/cb"], "redirect_uris": ["https://evil.test/"]}',
        b'{"client_name": "\\u0000"}',
        b'{"client_name": "\\ud800"}',
        b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        b'{"default_max_age": NaN}',
        b'{"default_max_age": 1e400}',
        b"\xef\xbb\xbf{}",
        b'{"client_name": "\xff"}',
    ],
    ids=range(11),
)
async def test_json_that_readers_differ_about_is_bad_metadata(registry: Registry, body: bytes) -> None:
    """RFC 7591 §3.2.2, never a 5xx."""
    answer = await registry.post(body, await registry.token())
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "text/json"])
async def test_another_content_type_is_bad_metadata(registry: Registry, content_type: str) -> None:
    """RFC 7591 §3.1."""
    answer = await registry.post(URI, await registry.token(), **{"Content-Type": content_type})
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_client_metadata")


@pytest.mark.point(19)
async def test_a_bad_redirect_uri_has_its_own_error(registry: Registry) -> None:
    """RFC 7591 §3.2.2."""
    answer = await registry.post({"redirect_uris": ["https://rp.test/#x"]}, await registry.token())
    assert (answer.status, (await answer.json())["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.point(20)
async def test_where_registration_is_open_nobody_needs_a_token(open_registry: Registry) -> None:
    """Open registration needs no token, but is limited for each address."""
    answers = [await open_registry.post(URI) for _ in range(21)]
    assert [answer.status for answer in answers] == [201] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_a_subscriber_of_ipv6_is_one_source_whatever_address_it_takes(open_registry: Registry) -> None:
    """The first 64 bits of an IPv6 address count."""
    answers = [
        await open_registry.post(URI, **{"X-Forwarded-For": f"2001:db8:0:1::{each:x}"}) for each in range(21)
    ]
    assert [answer.status for answer in answers] == [201] * 20 + [429]
    assert (await open_registry.post(URI, **{"X-Forwarded-For": "2001:db8:0:2::1"})).status == 201


@pytest.mark.point(20)
async def test_the_quota_of_clients_that_registered_themselves_is_exact_under_a_race(
    small_registry: Registry,
) -> None:
    """Operators' clients do not count, and one that leaves makes room for another."""
    await small_registry.world.client()
    answers = await asyncio.gather(*(small_registry.post(URI) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [403] * 7
    refused = next(answer for answer in answers if answer.status == 403)
    assert (await refused.json())["error"] == "access_denied"
    made = await next(answer for answer in answers if answer.status == 201).json()
    await small_registry.ask("DELETE", made["client_id"], made["registration_access_token"])
    assert (await small_registry.post(URI)).status == 201


@pytest.mark.point(20)
async def test_who_is_invited_is_not_held_against_the_quota(database_url: str, redis_url: str) -> None:
    """Invited clients do not count against the quota."""
    async for registry in serve_registry(database_url, redis_url, "token", client_quota="1"):
        token = await registry.token(3)
        assert [(await registry.post(URI, token)).status for _ in range(4)] == [201] * 3 + [401]


async def test_the_audit_log_tells_what_a_client_did_to_itself(registry: Registry) -> None:
    """Registration, changes and deletion are audited, without secrets."""
    made = await registry.register()
    client_id, token = made["client_id"], made["registration_access_token"]
    await registry.ask("PUT", client_id, token, {**URI, "client_id": client_id})
    await registry.ask("DELETE", client_id, token)
    rows = [row async for row in registry.world.audit_rows() if row["client_id"] == client_id]
    assert [(row["event"], row["detail"]) for row in rows] == [
        (event, {"by": "itself"}) for event in ("client_added", "client_changed", "client_deleted")
    ]


@pytest.mark.point(20)
async def test_where_registration_is_closed_there_is_no_endpoint(closed_registry: Registry) -> None:
    """If registration is closed, the endpoint does not exist."""
    assert (await closed_registry.post(URI, await closed_registry.token())).status == 404


async def test_a_web_page_may_register_a_client(registry: Registry) -> None:
    """Unless registration is closed, pages of any origin may ask and read the answer."""
    for path in (REGISTRATION.path, CLIENT_CONFIGURATION.for_client("a")):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        preflight = await registry.http.options(path, headers={"Origin": "https://app.test", **asked})
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Headers"] == "content-type"
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    refused = await registry.http.post(REGISTRATION.path, headers={"Origin": "https://app.test"}, data="x")
    assert refused.status == 401  # an initial access token is needed here
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
