"""A client's jwks_uri is fetched when needed, by one caller, and not more often, whatever is sent."""

import asyncio
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.fetch import FetchFailed
from shared.live.client_keys import COOL_DOWN, FRESH_FOR, STALE_FOR, ClientKeys, NoKeys
from shared.oauth.client.jwks import MAX_KEYS, BadKey, readable
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwt import BadJwt
from shared.oauth.tokens.keys import public_jwk

URI = "https://rp.example/jwks"
CLIENT = Client(client_id="c", jwks_uri=URI)
OLD, NEW = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())


def _jwks(key: ec.EllipticCurvePrivateKey, kid: str = "k") -> dict[str, Any]:
    return {"keys": [{**public_jwk(key.public_key()), "kid": kid}]}


def _token(key: ec.EllipticCurvePrivateKey, kid: str | None = "k") -> str:
    return jwt.encode({"sub": "c"}, key, "ES256", headers={"kid": kid} if kid else None)


class _KeyHost:
    """The server at the URI, and the clock."""

    def __init__(self) -> None:
        self.time = 0.0
        self.fetches = 0
        self.answer: Any = _jwks(OLD)
        self.go = asyncio.Event()
        self.go.set()

    async def fetch(self, uri: str) -> Any:
        assert uri == URI
        self.fetches += 1
        await self.go.wait()
        if self.answer is None:
            raise FetchFailed("away")
        return self.answer

    def keys(self) -> ClientKeys:
        return ClientKeys(self.fetch, lambda: self.time)


async def test_a_set_is_fetched_once_and_again_when_it_is_old() -> None:
    """Of many concurrent callers, one fetches the set."""
    host = _KeyHost()
    keys = host.keys()
    host.go.clear()
    asking = [asyncio.create_task(keys.verified(_token(OLD), CLIENT)) for _ in range(50)]
    while not host.fetches:
        await asyncio.sleep(0)
    host.go.set()
    assert await asyncio.gather(*asking) == [{"sub": "c"}] * 50
    assert host.fetches == 1
    host.time = FRESH_FOR
    await keys.verified(_token(OLD), CLIENT)
    assert host.fetches == 2


@pytest.mark.parametrize("kid", ["new", "k", None])
async def test_a_new_key_is_found_at_once(kid: str | None) -> None:
    """A new key is found with a new kid, with the old one, or without a kid."""
    host = _KeyHost()
    keys = host.keys()
    await keys.verified(_token(OLD, kid="k"), CLIENT)
    host.answer = _jwks(NEW, kid or "any")
    assert await keys.verified(_token(NEW, kid), CLIENT) == {"sub": "c"}
    assert host.fetches == 2


async def test_a_thousand_unknown_keys_are_looked_for_once_in_a_while() -> None:
    """Assertions with unknown keys, which anyone can send, must not cause a fetch each."""
    host = _KeyHost()
    keys = host.keys()
    await keys.verified(_token(OLD), CLIENT)
    for round_ in range(3):
        host.time = round_ * COOL_DOWN
        for number in range(300):
            with pytest.raises(BadJwt):
                await keys.verified(_token(NEW, f"unknown-{number}"), CLIENT)
        assert host.fetches == 2 + round_
    await keys.verified(_token(OLD), CLIENT)


async def test_a_thousand_clients_of_one_set_fetch_it_once() -> None:
    """The set is kept by its URI."""
    host = _KeyHost()
    keys = host.keys()
    for number in range(1000):
        await keys.verified(_token(OLD), Client(client_id=f"c{number}", jwks_uri=URI))
    assert host.fetches == 1


async def test_a_set_serves_on_while_its_host_is_away() -> None:
    """If the host is down, the set is used for a day, with occasional attempts to fetch it."""
    host = _KeyHost()
    keys = host.keys()
    await keys.verified(_token(OLD), CLIENT)
    host.answer = None
    for time in (FRESH_FOR, FRESH_FOR + 1, FRESH_FOR + COOL_DOWN - 1):
        host.time = time
        await keys.verified(_token(OLD), CLIENT)
    assert host.fetches == 2
    host.time = FRESH_FOR + COOL_DOWN
    await keys.verified(_token(OLD), CLIENT)
    assert host.fetches == 3
    host.time = STALE_FOR
    with pytest.raises(NoKeys):
        await keys.verified(_token(OLD), CLIENT)


@pytest.mark.parametrize("answer", [None, [], "x", 7, {}, {"keys": {}}, {"keys": "x"}])
async def test_what_is_no_set_gives_no_keys(answer: Any) -> None:
    """A response that is not a JWK Set has no keys."""
    host = _KeyHost()
    host.answer = answer
    with pytest.raises(NoKeys):
        await host.keys().verified(_token(OLD), CLIENT)


async def test_a_client_with_keys_in_its_record_is_not_fetched_for() -> None:
    """For clients with `jwks` and clients without keys, nothing is fetched."""
    keys = _KeyHost().keys()
    assert await keys.verified(_token(OLD), Client(client_id="c", jwks=_jwks(OLD)))
    for client in (Client(client_id="c", jwks=_jwks(NEW)), Client(client_id="c")):
        with pytest.raises(BadJwt):
            await keys.verified(_token(OLD), client)


def test_a_fetched_set_is_cut_down_to_what_is_used() -> None:
    """Private members, long members, keys beyond the limit and unknown keys are dropped."""
    good = _jwks(OLD)["keys"][0]
    fetched = {
        "keys": [
            {**good, "x5c": ["A" * 1000], "ext": True},
            {**good, "d": "AAAA"},
            "x",
            {**good, "n": "A" * 2000},
        ]
        + [good] * 100
    }
    keys = readable(fetched)["keys"]
    assert keys == [good] * (MAX_KEYS - 2)
    with pytest.raises(BadKey):
        readable(None)
