"""Pairwise subject identifiers: OpenID Connect Core 1.0 §8.1, wherever a `sub` appears."""

from typing import Any
from uuid import UUID

import pytest

from shared.live import clock
from shared.live.keyring import open_keys
from shared.model import User
from shared.oauth.client.record import Client
from shared.oauth.subject import sector_of, subject
from shared.operations.keys import KeyFault, retire_key, rewrap_keys, rotate_keys
from shared.operations.new_keys import SALT_KID
from shared.paths import END_SESSION
from tests.authorization import is_login
from tests.builders import a_client
from tests.deployment import SECRET_KEY, open_world, settings_for
from tests.front_channel import Services

PAIRWISE = {"subject_type": "pairwise"}


async def sub_of(provider: Services, client: Client, user: User) -> str:
    """The `sub` in a front-channel ID token."""
    page = await provider.op.browser().sign_in(client, user, response_type="id_token")
    sub: str = (await provider.signed(page.answer["id_token"]))["sub"]
    return sub


@pytest.mark.point(21)
async def test_every_answer_agrees(provider: Services) -> None:
    """ID tokens of both channels and of a refresh, userinfo, introspection of both kinds of token."""
    client, user, browser = await provider.client(**PAIRWISE), await provider.op.user(), provider.op.browser()
    page = await browser.sign_in(
        client, user, response_type="code id_token token", scope="openid offline_access"
    )
    tokens = provider.tokens
    first = await (await tokens.redeem(client, page.answer["code"])).json()
    second = await (await tokens.refresh(client, first["refresh_token"])).json()
    subs = {
        (await provider.signed(page.answer["id_token"]))["sub"],
        (await provider.signed(first["id_token"]))["sub"],
        (await provider.signed(second["id_token"]))["sub"],
        (await (await tokens.userinfo(page.answer["access_token"])).json())["sub"],
        (await (await tokens.userinfo(second["access_token"])).json())["sub"],
        (await tokens.introspect(client, second["access_token"]))["sub"],
        (await tokens.introspect(client, second["refresh_token"]))["sub"],
    }
    assert len(subs) == 1
    assert subs != {str(user.user_id)}
    assert str(user.user_id) not in str(await tokens.introspect(client, second["access_token"]))


@pytest.mark.point(21)
async def test_it_is_stable_and_by_sector(provider: Services) -> None:
    """The same for every client of a host, another for another host and for another user."""
    user, other = await provider.op.user(), await provider.op.user()
    client = await provider.client(**PAIRWISE)
    sibling = await provider.client(**PAIRWISE, redirect_uris=("https://rp1.test/other",))
    stranger = await provider.client(**PAIRWISE, redirect_uris=("https://rp2.test/cb",))
    grouped = await provider.client(
        **PAIRWISE,
        redirect_uris=("https://a.test/cb", "https://b.test/cb"),
        sector_identifier_uri="https://rp1.test/sector.json",
    )
    sub = await sub_of(provider, client, user)
    assert sub == await sub_of(provider, client, user)
    assert sub == await sub_of(provider, sibling, user) == await sub_of(provider, grouped, user)
    assert sub != await sub_of(provider, stranger, user)
    assert sub != await sub_of(provider, client, other)


async def test_a_jwt_access_token_holds_it(provider: Services) -> None:
    """RFC 9068 §6: no client learns the public identifier from a token that it can read."""
    client, user = await provider.client(**PAIRWISE, access_token_format="jwt"), await provider.op.user()
    page = await provider.op.browser().sign_in(client, user, response_type="id_token token")
    claims = await provider.signed(page.answer["access_token"])
    assert claims["sub"] == (await provider.signed(page.answer["id_token"]))["sub"]
    assert str(user.user_id) not in str(claims)


@pytest.mark.point(9)
async def test_a_hint_names_the_user_by_it(provider: Services) -> None:
    """A hint with the pairwise identifier works; other identifiers never select a session."""
    client, browser = await provider.client(**PAIRWISE), provider.op.browser()
    user, other = await provider.op.user(), await provider.op.user()
    page = await browser.sign_in(client, user, response_type="id_token")
    hint = page.answer["id_token"]
    met = await browser.authorize(client, prompt="none", id_token_hint=hint)
    assert "code" in met.answer
    foreign = await provider.op.browser().sign_in(client, other, response_type="id_token")
    missed = await browser.authorize(client, prompt="none", id_token_hint=foreign.answer["id_token"])
    assert missed.answer["error"] == "login_required"


async def test_a_sub_asked_for_by_value(provider: Services) -> None:
    """Core 1.0 §5.5.1: only the pairwise identifier matches."""
    client, browser, user = await provider.client(**PAIRWISE), provider.op.browser(), await provider.op.user()
    sub = await sub_of(provider, client, user)
    await browser.sign_in(client, user)

    async def asked(value: str) -> dict[str, str]:
        claims = f'{{"id_token": {{"sub": {{"value": "{value}"}}}}}}'
        return (await browser.authorize(client, prompt="none", claims=claims)).answer

    assert "code" in await asked(sub)
    assert (await asked(str(user.user_id)))["error"] == "login_required"


@pytest.mark.point(22)
async def test_a_hint_ends_its_session(provider: Services) -> None:
    """RP-initiated logout with a pairwise hint needs no confirmation."""
    back = "https://rp1.test/back"
    client = await provider.client(**PAIRWISE, post_logout_redirect_uris=(back,))
    browser, user = provider.op.browser(), await provider.op.user()
    page = await browser.sign_in(client, user, response_type="id_token")
    logout = {"id_token_hint": page.answer["id_token"], "post_logout_redirect_uri": back}
    await browser.request("GET", END_SESSION.path, params=logout)
    assert is_login(await browser.authorize(client))


@pytest.mark.point(21)
async def test_neither_rotation_nor_another_secret_changes_it(
    database_url: str, module_redis_url: str
) -> None:
    """The salt is never rotated or retired, and rewrapped with the keys."""
    settings = settings_for(database_url, module_redis_url)
    another = settings_for(database_url, module_redis_url, secret_key=f"{'n' * 32},{SECRET_KEY}")
    user_id, client = UUID(int=7), a_client(**PAIRWISE)
    async with open_world(settings) as world:
        keys = world.stores.keys

        async def known(secret_key: str) -> str | None:
            return subject(user_id, client, open_keys(await keys.load(), [secret_key]).salt)

        before = await known(SECRET_KEY)
        await rotate_keys(keys, settings, clock.now())
        assert await known(SECRET_KEY) == before is not None
        await rewrap_keys(keys, another)
        assert await known("n" * 32) == before
        for is_compromised in (True, False):
            with pytest.raises(KeyFault, match="no usable key"):
                await retire_key(keys, SALT_KID, another, clock.now(), is_compromised=is_compromised)


@pytest.mark.point(21)
@pytest.mark.parametrize(
    ("fields", "sector"),
    [
        ({"redirect_uris": ("https://a.test/1", "https://a.test/2")}, "a.test"),
        ({"redirect_uris": ("https://A.test/1", "https://a.test:8443/2")}, "a.test"),
        ({"redirect_uris": ("https://a.test/1", "https://b.test/2")}, None),
        ({"redirect_uris": ("app:/cb",)}, None),
        ({"redirect_uris": ("app:/cb",), "sector_identifier_uri": "https://s.test/x"}, "s.test"),
    ],
)
async def test_the_sector_is_a_host(fields: dict[str, Any], sector: str | None) -> None:
    """Core 1.0 §8.1: of `sector_identifier_uri`, else the one host of all redirect URIs."""
    assert sector_of(a_client(**fields)) == sector


@pytest.mark.point(21)
async def test_without_a_salt_nobody_is_named() -> None:
    """Without the salt, the response is 503 instead of the public identifier."""
    user_id = UUID(int=7)
    assert subject(user_id, a_client(subject_type="pairwise"), None) is None
    assert subject(user_id, a_client(), None) == str(user_id)
    pairwise = subject(user_id, a_client(subject_type="pairwise"), b"s" * 32)
    assert pairwise is not None
    assert len(pairwise) == 43
    with pytest.raises(ValueError, match="badly formed"):
        UUID(pairwise)
