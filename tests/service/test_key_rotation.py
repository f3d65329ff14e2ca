"""Key rotation as relying parties see it: the JWK Set and ID tokens."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import TestClient

from services.discovery.app import mount as discovery
from services.token.app import mount as token
from shared.codec.base64url import from_base64url
from shared.config.settings import Settings
from shared.live import clock
from shared.oauth.client.metadata.members import LONGEST_LIFETIMES
from shared.operations.keys import rotate_keys
from shared.paths import JWKS
from shared.server.app import application
from shared.server.resources import WATCH
from tests.builders import World
from tests.deployment import TokenService, settings_for
from tests.served import Served

PUBLIC = {"RSA": {"n", "e"}, "EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}}
SHOWN = {"kty", "use", "alg", "kid"}


@dataclass(frozen=True, slots=True)
class Issuer:
    """A deployment that signs, and whose keys can be rotated."""

    tokens: TokenService
    settings: Settings
    app: Any

    async def rotate(self) -> None:
        """What `ostiary keys rotate` does, seen by the process."""
        await rotate_keys(self.tokens.world.stores.keys, self.settings, clock.now())
        await self.app[WATCH].poll()

    async def jwks(self) -> dict[str, dict[str, str]]:
        """The JWK Set by its kids, read strictly."""
        response = await self.tokens.http.get(JWKS.path)
        keys = (await response.json())["keys"]
        assert (response.status, response.content_type) == (200, "application/json")
        for key in keys:
            assert key.keys() == SHOWN | PUBLIC[key["kty"]]
            assert key["use"] == "sig"
            assert all(from_base64url(key[name]) for name in PUBLIC[key["kty"]] - {"crv"})
        by_kid = {key["kid"]: key for key in keys}
        materials = {str({name: key[name] for name in PUBLIC[key["kty"]]}) for key in keys}
        assert len(keys) == len(by_kid) == len(materials)
        return by_kid

    async def id_token(self, alg: str) -> tuple[str, str]:
        """An ID token, and the kid of the key that signed it."""
        client = await self.tokens.world.client(id_token_signed_response_alg=alg)
        given: str = (await self.tokens.tokens(client))["id_token"]
        return given, jwt.get_unverified_header(given)["kid"]

    async def verifies(self, id_token: str, kid: str) -> bool:
        """Whether the current JWK Set verifies a token."""
        found = (await self.jwks()).get(kid)
        if found is None:
            return False
        jwt.decode(id_token, jwt.PyJWK(found), [found["alg"]], options={"verify_aud": False})
        return True


@pytest.fixture
def settings(database_url: str, redis_url: str) -> Settings:
    """A deployment with keys of its own."""
    return settings_for(database_url, redis_url)


@pytest.fixture
async def issuer(settings: Settings, world: World) -> AsyncIterator[Issuer]:
    """An issuer whose keys were published an hour ago."""
    app = application(settings, discovery, token)
    async with TestClient(Served(app)) as http:
        yield Issuer(TokenService(http, world), settings, app)


@pytest.mark.point(3)
@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_a_rotation_makes_no_token_unknown(issuer: Issuer, alg: str) -> None:
    """Core 1.0 §10.1.1: yesterday's set verifies today's token, and vice versa."""
    known = await issuer.jwks()
    old, old_kid = await issuer.id_token(alg)
    await issuer.rotate()
    new, new_kid = await issuer.id_token(alg)
    assert new_kid != old_kid
    assert {old_kid, new_kid} <= known.keys()
    assert await issuer.verifies(old, old_kid)
    assert await issuer.verifies(new, new_kid)


@pytest.mark.point(3)
@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_a_next_key_is_shown_for_a_cache_lifetime_before_its_use(
    issuer: Issuer, alg: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newly published key signs only after clients may have fetched it, even after two rotations."""
    before = await issuer.jwks()
    await issuer.rotate()
    fresh = (await issuer.jwks()).keys() - before.keys()
    await issuer.rotate()
    _, kid = await issuer.id_token(alg)
    assert kid in before
    shown = await issuer.jwks()
    assert fresh <= shown.keys()
    of_alg = {kid for kid, key in shown.items() if key["alg"] == alg}
    assert of_alg - before.keys() - fresh, "there is always a next one"
    in_time = clock.now() + issuer.settings.jwks_max_age
    monkeypatch.setattr(clock, "now", lambda: in_time)
    assert (await issuer.id_token(alg))[1] == kid
    later = in_time + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert (await issuer.id_token(alg))[1] in fresh


@pytest.mark.point(3)
async def test_a_key_stays_until_its_last_token_has_expired(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key stays for the longest possible lifetime of a token."""
    old, kid = await issuer.id_token("ES256")
    await issuer.rotate()
    longest, now = LONGEST_LIFETIMES["id_token_lifetime"], clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + longest - timedelta(minutes=1))
    assert await issuer.verifies(old, kid)
    monkeypatch.setattr(clock, "now", lambda: now + longest + timedelta(minutes=1))
    assert kid not in await issuer.jwks()
