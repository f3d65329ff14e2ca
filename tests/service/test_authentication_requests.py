"""Requests about the sign-in, and the resulting ID tokens (Core 1.0 §2, §3.1.2.1)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import jwt
import pytest

from shared.live import clock
from shared.model import User
from shared.oauth.authentication_methods import ACR_PASSWORD
from shared.oauth.client.record import Client
from tests.authorization import LOCAL_ISSUER, Browser, Page, is_consent, is_login
from tests.front_channel import RESPONSE_TYPES, Services

ACR = ACR_PASSWORD


@contextmanager
def later(**difference: float) -> Iterator[None]:
    """Advance the clock of the services."""
    now = clock.now
    with patch.object(clock, "now", lambda: now() + timedelta(**difference)):
        yield


async def redeemed(provider: Services, client: Client, page: Page) -> str:
    """The ID token for the code of an answer."""
    answer = await (await provider.tokens.redeem(client, page.answer["code"])).json()
    id_token: str = answer["id_token"]
    return id_token


async def claims_of(provider: Services, client: Client, page: Page) -> dict[str, Any]:
    """What it says."""
    return await provider.signed(await redeemed(provider, client, page))


@dataclass(frozen=True, slots=True)
class SignedInUser:
    """A user who has signed in to a client, and the ID token."""

    client: Client
    user: User
    browser: Browser
    claims: dict[str, Any]


async def signed_in(provider: Services, **fields: Any) -> SignedInUser:
    """Sign in with a new browser."""
    client, user, browser = await provider.client(**fields), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(client, user)
    return SignedInUser(client, user, browser, await claims_of(provider, client, page))


@pytest.mark.point(8)
async def test_prompt_login_is_a_later_sign_in(provider: Services) -> None:
    """The same user, and an `auth_time` that is really later."""
    ada = await signed_in(provider)
    with later(seconds=5):
        page = await ada.browser.authorize(ada.client, prompt="login")
        assert is_login(page)
        claims = await claims_of(provider, ada.client, await ada.browser.log_in(page, ada.user))
    assert claims["sub"] == ada.claims["sub"]
    assert claims["auth_time"] >= ada.claims["auth_time"] + 4


@pytest.mark.point(8, "SU4")
@pytest.mark.parametrize("source", ["max_age", "default_max_age"])
async def test_who_signed_in_too_long_ago_signs_in_again(provider: Services, source: str) -> None:
    """Within the age no page is shown; beyond it, the user signs in again with a later time."""
    by_default = source == "default_max_age"
    ada = await signed_in(provider, **({source: 60} if by_default else {}))
    asked = {} if by_default else {"max_age": "60"}
    with later(seconds=30):
        page = await ada.browser.authorize(ada.client, prompt="none", **asked)
        assert (await claims_of(provider, ada.client, page))["auth_time"] == ada.claims["auth_time"]
    with later(seconds=62):
        page = await ada.browser.authorize(ada.client, prompt="none", **asked)
        assert page.answer["error"] == "login_required"
        page = await ada.browser.authorize(ada.client, **asked)
        assert is_login(page)
        claims = await claims_of(provider, ada.client, await ada.browser.log_in(page, ada.user))
    assert claims["auth_time"] >= ada.claims["auth_time"] + 61
    assert claims["sub"] == ada.claims["sub"]


@pytest.mark.point(8)
async def test_a_high_max_age_asks_nobody(provider: Services) -> None:
    """15000 seconds, then 10000: the same sign-in, told by the same `auth_time`."""
    ada = await signed_in(provider)
    for max_age in ("15000", "10000"):
        claims = await claims_of(
            provider, ada.client, await ada.browser.authorize(ada.client, max_age=max_age)
        )
        assert (claims["auth_time"], claims["sub"]) == (ada.claims["auth_time"], ada.claims["sub"])


@pytest.mark.point(8)
@pytest.mark.parametrize("asked", [{"max_age": "10000"}, {}], ids=["max_age", "require_auth_time"])
@pytest.mark.parametrize("response_type", ["code", "id_token", "code id_token token"])
async def test_the_time_of_a_sign_in_is_told_where_it_is_asked_for(
    provider: Services, response_type: str, asked: dict[str, str]
) -> None:
    """Core 1.0 §2: `auth_time`, in seconds, in every ID token of the answer."""
    client = await provider.client(require_auth_time=not asked)
    before = int(clock.now().timestamp())
    page = await provider.op.browser().sign_in(
        client, await provider.op.user(), response_type=response_type, **asked
    )
    told = [page.answer["id_token"]] if "id_token" in page.answer else []
    told += [await redeemed(provider, client, page)] if "code" in page.answer else []
    for id_token in told:
        claims = await provider.signed(id_token)
        assert before <= claims["auth_time"] <= claims["iat"]
    assert len(told) == len(set(response_type.split(" ")) & {"code", "id_token"})


@pytest.mark.point(2, 9, 15, "SU2")
@pytest.mark.parametrize(
    "asked",
    [
        {"acr_values": ACR},
        {"acr_values": f"urn:unknown {ACR}"},
        {"acr_values": "urn:unknown"},
        {"claims": f'{{"id_token": {{"acr": {{"essential": true, "values": ["{ACR}"]}}}}}}'},
        {"claims": '{"id_token": {"acr": {"values": ["urn:unknown"]}}}'},
        {},
    ],
    ids=str,
)
async def test_the_context_of_a_sign_in_is_the_one_that_was_reached(
    provider: Services, asked: dict[str, str]
) -> None:
    """Core 1.0 §5.5.1.1: `acr` and `amr` describe the actual sign-in."""
    client = await provider.client()
    page = await provider.op.browser().sign_in(client, await provider.op.user(), **asked)
    claims = await claims_of(provider, client, page)
    assert (claims["acr"], claims["amr"]) == (ACR, ["pwd"])


@pytest.mark.point(9)
async def test_a_client_finds_its_user_by_the_id_token_that_it_has(provider: Services) -> None:
    """`id_token_hint`: only the session of its user continues without a page, even long after."""
    client, browser = await provider.client(), provider.op.browser()
    hint = await redeemed(provider, client, await browser.sign_in(client, await provider.op.user()))
    other = provider.op.browser()
    await other.sign_in(client, await provider.op.user())
    with later(hours=1, minutes=1):
        page = await browser.authorize(client, prompt="none", id_token_hint=hint)
        again = await claims_of(provider, client, page)
        assert again["sub"] == (await provider.signed(hint))["sub"]
        assert again["exp"] > clock.now().timestamp()
        page = await other.authorize(client, prompt="none", id_token_hint=hint)
        assert page.answer["error"] == "login_required"
        assert is_login(await other.authorize(client, id_token_hint=hint))


@pytest.mark.point(8)
async def test_prompt_consent_puts_the_question_again(provider: Services) -> None:
    """Also for a client that skips consent, and together with a new sign-in."""
    ada = await signed_in(provider, skip_consent=True)
    page = await ada.browser.authorize(ada.client, prompt="consent")
    assert is_consent(page)
    assert "code" in (await ada.browser.decide(page)).answer
    page = await ada.browser.authorize(ada.client, prompt="login consent")
    page = await ada.browser.log_in(page, ada.user)
    assert is_consent(page)
    assert "code" in (await ada.browser.decide(page)).answer


@pytest.mark.point(15)
@pytest.mark.parametrize("response_type", [name for name in RESPONSE_TYPES if "code " in name])
async def test_both_id_tokens_of_an_answer_agree(provider: Services, response_type: str) -> None:
    """Core 1.0 §3.3.3.6: the same `iss` and `sub`; and both hold the `nonce` and the time of the sign-in."""
    client = await provider.client()
    page = await provider.op.browser().sign_in(
        client, await provider.op.user(), response_type=response_type, nonce="n-2"
    )
    of_code = await claims_of(provider, client, page)
    assert (of_code["iss"], of_code["nonce"]) == (LOCAL_ISSUER, "n-2")
    if "id_token" in page.answer:
        in_front = await provider.signed(page.answer["id_token"])
        for name in ("iss", "sub", "aud", "nonce", "auth_time", "acr", "sid"):
            assert of_code[name] == in_front[name], name


@pytest.mark.point(15)
async def test_an_id_token_is_signed_with_rs256_unless_another_was_registered(
    provider: Services,
) -> None:
    """Registration 1.0 §2; the header names a key of the JWK Set."""
    defaults = Client(client_id="c")
    client = await provider.client(id_token_signed_response_alg=defaults.id_token_signed_response_alg)
    page = await provider.op.browser().sign_in(client, await provider.op.user())
    id_token = await redeemed(provider, client, page)
    header = jwt.get_unverified_header(id_token)
    assert header["alg"] == "RS256"
    assert header["kid"]
    assert (await provider.signed(id_token))["aud"] == [client.client_id]
