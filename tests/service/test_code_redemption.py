"""Redeeming a code: refusals, and their effects on the code and its grant."""

import asyncio
from datetime import timedelta

import pytest

from shared.live import clock
from shared.oauth.tokens.handle import digest
from tests.builders import REDIRECT_URI, VERIFIER
from tests.deployment import TokenService

WRONG = {
    "another redirect_uri": {"redirect_uri": "https://rp1.test/other"},
    "a slash more": {"redirect_uri": REDIRECT_URI + "/"},
    "upper case": {"redirect_uri": REDIRECT_URI.upper()},
    "no redirect_uri": {"redirect_uri": ""},
    "no verifier": {"code_verifier": ""},
    "a wrong verifier": {"code_verifier": "x" * 43},
    "a short verifier": {"code_verifier": VERIFIER[:42]},
    "a long verifier": {"code_verifier": "x" * 129},
    "a verifier with a newline": {"code_verifier": VERIFIER + "\n"},
    "a verifier with a NUL": {"code_verifier": VERIFIER + "\0"},
}


@pytest.mark.point(12)
@pytest.mark.parametrize("form", WRONG.values(), ids=WRONG.keys())
async def test_a_wrong_redemption_is_refused_and_costs_nothing(
    tokens: TokenService, form: dict[str, str]
) -> None:
    """A wrong redemption gets 400, and the code still works."""
    client = await tokens.world.client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    response = await tokens.redeem(client, code, **form)
    answer = await response.json()
    assert response.status == 400
    assert answer["error"] in ("invalid_grant", "invalid_request")
    assert set(answer) <= {"error", "error_description", "status_code"}
    assert response.headers["Cache-Control"] == "no-store"
    assert (await tokens.redeem(client, code)).status == 200


@pytest.mark.parametrize("name", ["code_verifier", "redirect_uri"])
async def test_an_empty_parameter_is_none(tokens: TokenService, name: str) -> None:
    """RFC 6749 §3.2: a parameter without a value counts as missing."""
    client = await tokens.world.client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    assert (await tokens.token(client, {**form, name: ""})).status == 400
    assert (await tokens.token(client, form)).status == 200


async def test_a_scope_asked_for_at_the_token_step_widens_nothing(tokens: TokenService) -> None:
    """RFC 6749 §4.1.3: a scope at the token endpoint does not change what the user allowed."""
    client = await tokens.world.client()
    code = (await tokens.world.sign_in()).code(client.client_id, scope=("openid", "offline_access"))
    wide = "openid offline_access email api:read api:write"
    response = await tokens.redeem(client, await tokens.world.add_code(code), scope=wide)
    answer = await response.json()
    assert answer["scope"] == "openid offline_access"
    assert (await tokens.introspect(client, answer["access_token"]))["scope"] == answer["scope"]
    refused = await tokens.refresh(client, answer["refresh_token"], scope=wide)
    assert (refused.status, (await refused.json())["error"]) == (400, "invalid_scope")


@pytest.mark.point(12)
async def test_a_verifier_for_a_code_without_challenge_is_refused(tokens: TokenService) -> None:
    """RFC 9700 §4.8.2: an attacker may have removed the challenge from the authorization request."""
    client = await tokens.world.client()
    code = (await tokens.world.sign_in()).code(client.client_id, code_challenge=None)
    value = await tokens.world.add_code(code)
    assert (await tokens.redeem(client, value)).status == 400
    assert (await tokens.redeem(client, value, code_verifier="")).status == 200


@pytest.mark.point(12)
async def test_a_replay_ends_what_the_code_gave(tokens: TokenService) -> None:
    """A second use is refused, and the tokens of the first are invalid everywhere."""
    client = await tokens.world.client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    first = await (await tokens.redeem(client, code)).json()
    replay = await tokens.redeem(client, code)
    assert (replay.status, (await replay.json())["error"]) == (400, "invalid_grant")
    assert await tokens.introspect(client, first["access_token"]) == {"active": False}
    assert await tokens.introspect(client, first["refresh_token"]) == {"active": False}
    assert (await tokens.userinfo(first["access_token"])).status == 401
    assert (await tokens.refresh(client, first["refresh_token"])).status == 400


@pytest.mark.point(12)
async def test_a_replay_long_after_is_recognised(tokens: TokenService) -> None:
    """A replay is recognized as long as the grant exists, not only as long as Redis keeps the code."""
    client = await tokens.world.client()
    code = (await tokens.world.sign_in()).code(client.client_id)
    value = await tokens.world.add_code(code, timedelta(seconds=60))
    first = await (await tokens.redeem(client, value)).json()
    await tokens.world.stores.codes.count_failure(digest(value), 1)  # Redis forgets it
    for wrong in WRONG.values():
        assert (await tokens.redeem(client, value, **wrong)).status == 400
    assert (await tokens.introspect(client, first["access_token"]))["active"]
    assert (await tokens.redeem(client, value)).status == 400
    assert not (await tokens.introspect(client, first["access_token"]))["active"]


@pytest.mark.point(12)
async def test_a_replay_after_sign_out_ends_an_offline_grant(tokens: TokenService) -> None:
    """The session has ended, the grant has not: a replay must still end it."""
    client = await tokens.world.client()
    sign_in = await tokens.world.sign_in()
    code = await tokens.world.add_code(sign_in.code(client.client_id))
    first = await (await tokens.redeem(client, code)).json()
    await tokens.world.end_session(sign_in.sid)
    assert (await tokens.introspect(client, first["access_token"]))["active"]
    assert (await tokens.redeem(client, code)).status == 400
    assert not (await tokens.introspect(client, first["access_token"]))["active"]


async def test_a_strangers_tries_cost_nothing(tokens: TokenService) -> None:
    """Attempts of another client end neither the code nor its grant."""
    client, stranger = await tokens.world.client(), await tokens.world.client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    for _ in range(7):
        assert (await tokens.redeem(stranger, code)).status == 400
    response = await tokens.redeem(client, code)
    first = await response.json()
    assert response.status == 200
    assert (await tokens.redeem(stranger, code)).status == 400
    assert (await tokens.introspect(client, first["access_token"]))["active"]


async def test_five_wrong_tries_end_a_code(tokens: TokenService) -> None:
    """Five failures end a code, and every response is the same."""
    client = await tokens.world.client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    answers = set()
    for number in range(8):
        wrong = {"code_verifier": "x" * 43} if number % 2 else {"redirect_uri": "https://rp1.test/x"}
        answers.add(await (await tokens.redeem(client, code, **wrong)).text())
    answers.add(await (await tokens.redeem(client, code)).text())
    assert len(answers) == 1


async def test_an_expired_code_is_refused(tokens: TokenService) -> None:
    """An expired code is refused, even while Redis still has it."""
    client = await tokens.world.client()
    code = (await tokens.world.sign_in()).code(
        client.client_id, expires_at=clock.now() - timedelta(seconds=1)
    )
    response = await tokens.redeem(client, await tokens.world.add_code(code))
    assert (response.status, (await response.json())["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "code", ["x", "ac_short", "at_" + "A" * 43, "ac_" + "A" * 43, "\ud7ff" * 50, "A" * 9000]
)
async def test_what_is_no_code_is_refused(tokens: TokenService, code: str) -> None:
    """Malformed, unknown and long codes, and other handles, are refused."""
    response = await tokens.redeem(await tokens.world.client(), code)
    assert (response.status, (await response.json())["error"]) == (400, "invalid_grant")


async def test_without_offline_access_there_is_no_refresh_token(tokens: TokenService) -> None:
    """Without offline access, or if the client is not registered for it, there is no refresh token."""
    client = await tokens.world.client()
    assert "refresh_token" not in await tokens.tokens(client, scope=("openid",))
    other = await tokens.world.client(grant_types=("authorization_code",))
    assert "refresh_token" not in await tokens.tokens(other)


async def test_without_openid_there_is_no_id_token(tokens: TokenService) -> None:
    """OpenID Connect Core 1.0 §3.1.2.1: plain OAuth 2.0."""
    answer = await tokens.tokens(await tokens.world.client(), scope=("api:read",))
    assert "id_token" not in answer
    assert (await tokens.userinfo(answer["access_token"])).status == 403


async def test_a_token_that_would_be_too_long_costs_no_code(tokens: TokenService) -> None:
    """invalid_scope comes before anything is spent."""
    scope = tuple(f"api:{number:0>20}" for number in range(45))
    client = await tokens.world.client(scope=scope)
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id, scope=scope))
    response = await tokens.redeem(client, code)
    assert (response.status, (await response.json())["error"]) == (400, "invalid_scope")
    assert await tokens.world.stores.grants.find_spent(digest(code)) is None


@pytest.mark.point(12)
async def test_many_at_once_get_one_answer(tokens: TokenService) -> None:
    """Of many concurrent requests, at most one gets 200, and the others invalid_grant."""
    client = await tokens.world.client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    responses = await asyncio.gather(*(tokens.redeem(client, code) for _ in range(30)))
    statuses = [response.status for response in responses]
    assert statuses.count(200) == 1
    assert statuses.count(400) == 29
