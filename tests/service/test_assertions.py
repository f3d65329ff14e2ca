"""Client assertions: algorithms, keys by reference, and secrets, without confusion."""

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.codec.base64url import base64url
from shared.config.settings import Settings
from shared.live import clock
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.secret import new_secret
from shared.oauth.supported import PUBLIC_KEY_ALGORITHMS, SECRET_ALGORITHMS
from shared.oauth.tokens.keys import PrivateKey, public_jwk
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, REVOCATION, TOKEN, USERINFO, Path
from tests.deployment import ISSUER, TokenService, open_world, serve_tokens, settings_for
from tests.planted import planted
from tests.planted.protocol import token_endpoint_alone

FORM = {"grant_type": "client_credentials", "scope": "api:read"}
VALUE = "a-secret-of-sixty-four-characters-for-hs512-needs-as-many-bytes!"

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: Mapping[str, PrivateKey] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA_KEY),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
JWKS = {"keys": [public_jwk(key.public_key()) for key in dict.fromkeys(KEYS.values())]}


class _JwksHost:
    """A client's web server."""

    def __init__(self) -> None:
        self.jwks: Any = JWKS
        self.fetches = 0

    async def __call__(self, _: web.BaseRequest) -> web.StreamResponse:
        self.fetches += 1
        return web.json_response(self.jwks)


@pytest.fixture(scope="module")
def host() -> _JwksHost:
    """What it answers."""
    return _JwksHost()


@pytest.fixture
async def jwks_uri(host: _JwksHost) -> AsyncIterator[str]:
    """Where it answers."""
    host.jwks, host.fetches = JWKS, 0
    server = RawTestServer(host)
    await server.start_server()
    yield f"http://127.0.0.1:{server.port}/jwks"
    await server.close()


@pytest.fixture
async def tokens(
    module_database_url: str, module_redis_url: str, jwks_uri: str
) -> AsyncIterator[TokenService]:
    """A token service that may reach the client's server."""
    allowed = jwks_uri.removeprefix("http://").removesuffix("/jwks")
    settings: Settings = settings_for(module_database_url, module_redis_url, fetch_allow=allowed)
    async with open_world(settings) as world, serve_tokens(settings, world) as service:
        yield service


def _assertion(client: Client, key: Any, alg: str, kid: str | None = None, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": client.client_id, "sub": client.client_id, "aud": ISSUER, "iat": now, "exp": now + 60}
    header = {"kid": kid} if kid else None
    return jwt.encode({**claims, "jti": uuid4().hex, **changes}, key, alg, headers=header)


def _confused(client: Client, secret: str, alg: str) -> str:
    """An assertion by HMAC, whatever the secret looks like."""
    unsigned = _assertion(client, "x" * 64, alg).rpartition(".")[0]
    mac = hmac.digest(secret.encode(), unsigned.encode(), alg.replace("HS", "sha"))
    return f"{unsigned}.{base64url(mac)}"


async def _status(tokens: TokenService, assertion: str) -> int:
    form = {
        **FORM,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    response = await tokens.token(None, form)
    answer = await response.json()
    assert answer.get("error", "invalid_client") == "invalid_client"
    return response.status


async def _secret_client(tokens: TokenService, **fields: Any) -> Client:
    defaults = {
        "token_endpoint_auth_method": "client_secret_jwt",
        "secrets": (ClientSecret(b"", value=VALUE),),
    }
    return await tokens.world.client(**{**defaults, **fields})


async def _key_client(tokens: TokenService, **fields: Any) -> Client:
    defaults = {"token_endpoint_auth_method": "private_key_jwt", "secrets": (), "jwks": JWKS}
    return await tokens.world.client(**{**defaults, **fields})


@pytest.mark.point(14)
@pytest.mark.parametrize("registered", [None, *PUBLIC_KEY_ALGORITHMS])
async def test_a_key_signs_by_the_registered_algorithm(tokens: TokenService, registered: str | None) -> None:
    """Without a registered algorithm, any of the key's own is accepted."""
    client = await _key_client(tokens, token_endpoint_auth_signing_alg=registered)
    for alg, key in KEYS.items():
        expected = 200 if registered in (None, alg) else 401
        assert await _status(tokens, _assertion(client, key, alg)) == expected, alg


@pytest.mark.point(14)
@pytest.mark.parametrize("registered", [None, *SECRET_ALGORITHMS])
async def test_a_secret_signs_by_the_registered_algorithm(
    tokens: TokenService, registered: str | None
) -> None:
    """client_secret_jwt, once each."""
    client = await _secret_client(tokens, token_endpoint_auth_signing_alg=registered)
    for alg in SECRET_ALGORITHMS:
        assertion = _assertion(client, VALUE, alg)
        assert await _status(tokens, assertion) == (200 if registered in (None, alg) else 401), alg
        assert await _status(tokens, assertion) == 401


@pytest.mark.point(14)
async def test_the_methods_do_not_cross(tokens: TokenService) -> None:
    """Secrets and keys are never confused, and a public key is never a secret."""
    by_secret = await _secret_client(tokens, jwks=JWKS)
    by_key = await _key_client(tokens, secrets=(ClientSecret(b"", value=VALUE),))
    by_basic = await _secret_client(tokens, token_endpoint_auth_method="client_secret_basic", jwks=JWKS)
    as_text = json.dumps(JWKS["keys"][0])
    as_pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for client in (by_secret, by_basic):
        for alg, key in KEYS.items():
            assert await _status(tokens, _assertion(client, key, alg)) == 401
    for client in (by_key, by_basic):
        for alg in SECRET_ALGORITHMS:
            for secret in (VALUE, as_text, as_pem):
                assert await _status(tokens, _confused(client, secret, alg)) == 401


@pytest.mark.parametrize("secret", [VALUE[::-1], VALUE[:-1], VALUE + " "])
async def test_another_secret_signs_nothing(tokens: TokenService, secret: str) -> None:
    """Another secret and the stored hash do not sign."""
    client = await _secret_client(tokens)
    assert await _status(tokens, _assertion(client, secret, "HS256")) == 401
    kept = new_secret(client, VALUE).hash.hex()
    assert await _status(tokens, _assertion(client, kept, "HS256")) == 401


async def test_of_two_secrets_either_signs_until_it_ends(tokens: TokenService) -> None:
    """During a rotation both secrets sign; an expired one does not."""
    other = VALUE[::-1]
    ended = replace(ClientSecret(b"", value="e" * 64), expires_at=clock.now())
    client = await _secret_client(
        tokens, secrets=(ended, ClientSecret(b"", value=VALUE), ClientSecret(b"", value=other))
    )
    assert await _status(tokens, _assertion(client, VALUE, "HS256")) == 200
    assert await _status(tokens, _assertion(client, other, "HS256")) == 200
    assert await _status(tokens, _assertion(client, "e" * 64, "HS256")) == 401


@pytest.mark.point(14, 18)
async def test_keys_by_reference(tokens: TokenService, jwks_uri: str, host: _JwksHost) -> None:
    """jwks_uri is fetched once, and again for an unknown key."""
    client = await _key_client(tokens, jwks=None, jwks_uri=jwks_uri)
    for alg, key in KEYS.items():
        assert await _status(tokens, _assertion(client, key, alg)) == 200
    assert host.fetches == 1
    rotated = ec.generate_private_key(ec.SECP256R1())
    host.jwks = {"keys": [public_jwk(rotated.public_key())]}
    assert await _status(tokens, _assertion(client, rotated, "ES256")) == 200
    assert host.fetches == 2
    for _ in range(20):
        assert await _status(tokens, _assertion(client, KEYS["ES256"], "ES256")) == 401
    assert host.fetches == 2


async def test_unknown_keys_by_the_hundred_make_us_fetch_once(
    tokens: TokenService, jwks_uri: str, host: _JwksHost
) -> None:
    """Unknown keys cause one fetch, also concurrently and for many clients with one `jwks_uri`."""
    client = await _key_client(tokens, jwks=None, jwks_uri=jwks_uri)

    async def guess(number: int) -> int:
        return await _status(tokens, _assertion(client, KEYS["ES256"], "ES256", kid=f"unknown-{number}"))

    assert {await guess(number) for number in range(50)} == {401}
    assert set(await asyncio.gather(*(guess(number) for number in range(50, 100)))) == {401}
    assert host.fetches <= 2
    others = [await _key_client(tokens, jwks=None, jwks_uri=jwks_uri) for _ in range(20)]
    good = [_status(tokens, _assertion(other, KEYS["ES256"], "ES256")) for other in others]
    assert set(await asyncio.gather(*good)) == {200}
    assert host.fetches <= 2


@pytest.mark.point(14)
async def test_a_kid_that_is_not_known_is_looked_for_once(
    tokens: TokenService, jwks_uri: str, host: _JwksHost
) -> None:
    """A client that has rotated its key is served at once; one that makes kids up has us fetch no more."""
    client = await _key_client(tokens, jwks=None, jwks_uri=jwks_uri)
    old, new = KEYS["ES256"], ec.generate_private_key(ec.SECP256R1())
    host.jwks = {"keys": [{**public_jwk(old.public_key()), "kid": "old"}]}
    assert await _status(tokens, _assertion(client, old, "ES256", kid="old")) == 200
    host.jwks = {"keys": [*host.jwks["keys"], {**public_jwk(new.public_key()), "kid": "new"}]}
    assert await _status(tokens, _assertion(client, new, "ES256", kid="new")) == 200
    assert await _status(tokens, _assertion(client, old, "ES256", kid="old")) == 200
    for number in range(10):
        assert await _status(tokens, _assertion(client, new, "ES256", kid=f"made up {number}")) == 401
    assert host.fetches == 2


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:{}/jwks", "https://127.0.0.1:1/jwks", "https://localhost/jwks"]
)
async def test_keys_behind_a_private_address_are_not_fetched(
    tokens: TokenService, host: _JwksHost, uri: str
) -> None:
    """An internal jwks_uri is never fetched, even if it got past registration."""
    canary = RawTestServer(host)
    await canary.start_server()
    client = await _key_client(tokens, jwks=None, jwks_uri=uri.format(canary.port))
    assert await _status(tokens, _assertion(client, KEYS["ES256"], "ES256")) == 401
    assert host.fetches == 0
    await canary.close()


@pytest.mark.point(14)
@pytest.mark.parametrize(
    ("aud", "expected"),
    [
        (ISSUER, 200),
        ([ISSUER], 401),
        (f"{ISSUER}/oauth2/token", 401),
        ([ISSUER, f"{ISSUER}/oauth2/token"], 401),
        (f"{ISSUER}/", 401),
        (f"{ISSUER}/oauth2/par", 401),
    ],
)
async def test_a_strict_client_addresses_the_issuer_alone(
    tokens: TokenService, aud: Any, expected: int
) -> None:
    """assertion_audience issuer, which profile fapi2 fills in: a single string."""
    client = await _key_client(tokens, assertion_audience="issuer")
    assert await _status(tokens, _assertion(client, KEYS["ES256"], "ES256", aud=aud)) == expected


@planted(token_endpoint_alone)
@pytest.mark.parametrize("path", [REVOCATION, INTROSPECTION, DEVICE_AUTHORIZATION])
async def test_an_assertion_may_address_the_endpoint_that_is_called(tokens: TokenService, path: Path) -> None:
    """The audience may be the issuer, the token endpoint or the called endpoint, and nothing else."""
    client = await _key_client(tokens)
    here, token, other = path.at(ISSUER), TOKEN.at(ISSUER), USERINFO.at(ISSUER)
    for aud, is_accepted in (
        *((aud, True) for aud in (ISSUER, token, here, [here], [ISSUER, token, here])),
        *((aud, False) for aud in (other, [here, other], "https://other.test", [here, "https://other.test"])),
    ):
        form = {
            "token": "x",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(client, KEYS["ES256"], "ES256", aud=aud),
        }
        response = await tokens.http.post(path.path, data=form)
        assert (response.status != 401) is is_accepted, aud
