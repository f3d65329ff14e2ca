"""ID tokens, userinfo and introspection responses are signed and encrypted as registered."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import jwt
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe
from joserfc.jwk import ECKey, RSAKey

from services.authorization.request.parameters.id_token_hint import read_hint
from services.discovery.app import mount as discovery
from services.token.app import mount as token
from shared.codec.base64url import base64url
from shared.config.settings import Settings
from shared.live.keyring import open_keys
from shared.oauth.client.record import Client
from shared.oauth.supported import PUBLIC_KEY_ALGORITHMS
from shared.oauth.tokens.jwe import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS
from shared.oauth.tokens.jwt import BadJwt
from shared.oauth.tokens.keys import public_jwk
from shared.paths import INTROSPECTION, JWKS, OPENID_CONFIGURATION, USERINFO
from shared.server.app import application
from tests.builders import World
from tests.deployment import (
    ISSUER,
    SECRET_KEY,
    TokenService,
    basic,
    bearer,
    open_world,
    settings_for,
    unverified,
)
from tests.served import Served

JWT_INTROSPECTION = {"Accept": "application/token-introspection+jwt"}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
CLIENT_JWKS = {
    "keys": [
        {**public_jwk(RSA_KEY.public_key()), "use": "sig", "kid": "not this"},
        {**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()), "use": "sig"},
        {**public_jwk(RSA_KEY.public_key()), "use": "enc", "kid": "rsa"},
        {**public_jwk(EC_KEY.public_key()), "use": "enc", "kid": "ec"},
    ]
}


@pytest.fixture(scope="module")
def settings(module_database_url: str, module_redis_url: str) -> Settings:
    """A deployment that signs with everything."""
    algorithms = ",".join(PUBLIC_KEY_ALGORITHMS)
    return settings_for(module_database_url, module_redis_url, signing_algorithms=algorithms)


@pytest.fixture
async def world(settings: Settings) -> AsyncIterator[World]:
    """Its stores."""
    async with open_world(settings) as opened:
        yield opened


@pytest.fixture
async def tokens(settings: Settings, world: World) -> AsyncIterator[TokenService]:
    """Its token service, with discovery beside it."""
    async with TestClient(Served(application(settings, discovery, token))) as http:
        yield TokenService(http, world)


async def _keys(tokens: TokenService) -> Mapping[str, jwt.PyJWK]:
    response = await tokens.http.get(JWKS.path)
    return {key["kid"]: jwt.PyJWK(key) for key in (await response.json())["keys"]}


async def _verified(tokens: TokenService, value: str, alg: str, audience: str) -> dict[str, Any]:
    """The claims, verified as a relying party would with what the JWK Set shows."""
    header = jwt.get_unverified_header(value)
    assert header["alg"] == alg
    key = (await _keys(tokens))[header["kid"]]
    claims: dict[str, Any] = jwt.decode(value, key, algorithms=[alg], audience=audience, issuer=ISSUER)
    return claims


def _decrypted(value: str, alg: str, enc: str) -> tuple[dict[str, Any], str]:
    key = RSAKey.import_key(RSA_KEY) if alg.startswith("RSA") else ECKey.import_key(EC_KEY)
    opened = jwe.decrypt_compact(value, key, algorithms=[alg, enc])
    header = dict(opened.headers())
    assert (header["alg"], header["enc"], header["kid"]) == (
        alg,
        enc,
        "rsa" if alg.startswith("RSA") else "ec",
    )
    assert opened.plaintext is not None
    return header, opened.plaintext.decode()


async def _jwt_introspection(tokens: TokenService, client: Client, value: str) -> ClientResponse:
    headers = {**JWT_INTROSPECTION, **basic(client.client_id)}
    response = await tokens.post(INTROSPECTION.path, {"token": value}, None, headers=headers)
    assert response.status == 200, await response.text()
    assert response.content_type == "application/token-introspection+jwt"
    assert response.headers["Cache-Control"] == "no-store"
    return response


@pytest.mark.point(15, 17)
@pytest.mark.parametrize("alg", PUBLIC_KEY_ALGORITHMS)
async def test_every_answer_is_signed_by_the_registered_algorithm(tokens: TokenService, alg: str) -> None:
    """ID token with its at_hash, userinfo with iss and aud and no nonce, introspection."""
    client = await tokens.world.client(
        id_token_signed_response_alg=alg,
        userinfo_signed_response_alg=alg,
        introspection_signed_response_alg=alg,
    )
    given = await tokens.tokens(client)
    id_token = await _verified(tokens, given["id_token"], alg, client.client_id)
    name = "sha512" if alg == "EdDSA" else f"sha{alg[2:]}"
    digest = hashlib.new(name, given["access_token"].encode()).digest()
    assert id_token["at_hash"] == base64url(digest[: len(digest) // 2])

    response = await tokens.userinfo(given["access_token"])
    assert (response.status, response.content_type) == (200, "application/jwt")
    userinfo = await _verified(tokens, await response.text(), alg, client.client_id)
    assert userinfo["sub"] == id_token["sub"]
    assert userinfo["name"]
    assert userinfo["aud"] == client.client_id
    assert not {"nonce", "exp"} & userinfo.keys()

    response = await _jwt_introspection(tokens, client, given["access_token"])
    introspection = await _verified(tokens, await response.text(), alg, client.client_id)
    assert introspection["token_introspection"] == await tokens.introspect(client, given["access_token"])
    assert introspection["token_introspection"]["active"] is True
    assert not {"sub", "exp"} & introspection.keys()


@pytest.mark.point(15, 17)
@pytest.mark.parametrize("alg", ENCRYPTION_ALGORITHMS)
@pytest.mark.parametrize("enc", [None, *CONTENT_ENCRYPTIONS])
async def test_every_answer_is_encrypted_as_registered(
    tokens: TokenService, alg: str, enc: str | None
) -> None:
    """Signed inside, to the client's key for encryption; A128CBC-HS256 where no enc is registered."""
    encryption = {
        f"{response}_encrypted_response_{member}": value
        for response in ("id_token", "userinfo", "introspection")
        for member, value in (("alg", alg), ("enc", enc))
    }
    client = await tokens.world.client(userinfo_signed_response_alg="ES256", jwks=CLIENT_JWKS, **encryption)
    given = await tokens.tokens(client)
    used = enc or "A128CBC-HS256"
    header, id_token = _decrypted(given["id_token"], alg, used)
    assert header["cty"] == "JWT"
    assert (await _verified(tokens, id_token, "ES256", client.client_id))["at_hash"]

    response = await tokens.userinfo(given["access_token"])
    assert response.content_type == "application/jwt"
    header, userinfo = _decrypted(await response.text(), alg, used)
    assert header["cty"] == "JWT"
    assert (await _verified(tokens, userinfo, "ES256", client.client_id))["email"]

    response = await _jwt_introspection(tokens, client, given["access_token"])
    header, introspection = _decrypted(await response.text(), alg, used)
    assert header["cty"] == "JWT"
    described = await _verified(tokens, introspection, "RS256", client.client_id)
    assert described["token_introspection"]["active"]


@pytest.mark.point(15)
async def test_a_refreshed_id_token_is_encrypted_too(tokens: TokenService) -> None:
    """Refreshed ID tokens are encrypted, too."""
    client = await tokens.world.client(jwks=CLIENT_JWKS, id_token_encrypted_response_alg="ECDH-ES")
    given = await tokens.tokens(client)
    refreshed = await (await tokens.refresh(client, given["refresh_token"])).json()
    _, signed = _decrypted(refreshed["id_token"], "ECDH-ES", "A128CBC-HS256")
    assert (await _verified(tokens, signed, "ES256", client.client_id))["sub"]


@pytest.mark.point(17)
async def test_userinfo_may_be_encrypted_without_a_signature(tokens: TokenService) -> None:
    """The claims themselves are the plaintext."""
    client = await tokens.world.client(jwks=CLIENT_JWKS, userinfo_encrypted_response_alg="RSA-OAEP-256")
    given = await tokens.tokens(client)
    response = await tokens.userinfo(given["access_token"])
    assert response.content_type == "application/jwt"
    header, claims = _decrypted(await response.text(), "RSA-OAEP-256", "A128CBC-HS256")
    assert "cty" not in header
    assert json.loads(claims)["sub"] == unverified(given["id_token"])["sub"]


@pytest.mark.point(15)
@pytest.mark.parametrize("keys", [{"jwks_uri": "https://10.0.0.1/jwks"}, {"jwks": {"keys": []}}], ids=str)
async def test_without_a_key_to_encrypt_to_nothing_is_spent(
    tokens: TokenService, keys: dict[str, Any]
) -> None:
    """Without a key to encrypt to, the response is 503 before the code is spent."""
    client = await tokens.world.client(id_token_encrypted_response_alg="RSA-OAEP", **keys)
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    for _ in range(2):
        response = await tokens.redeem(client, code)
        assert response.status == 503
        assert response.headers["Retry-After"]
        assert (await response.json())["error"] == "temporarily_unavailable"
    assert await tokens.world.audited("code_replayed") == 0
    plain = await tokens.world.client(userinfo_encrypted_response_alg="RSA-OAEP", **keys)
    given = await tokens.tokens(plain)
    assert (await tokens.userinfo(given["access_token"])).status == 503


async def test_a_strangers_token_is_inactive_in_the_jwt_too(tokens: TokenService) -> None:
    """J172: tokens of others are only `inactive` in the JWT, too."""
    owner, stranger = await tokens.world.client(), await tokens.world.client()
    given = await tokens.tokens(owner)
    for name in ("access_token", "refresh_token", "id_token"):
        response = await _jwt_introspection(tokens, stranger, given[name])
        claims = unverified(await response.text())
        assert claims["token_introspection"] == {"active": False}
        assert claims.keys() == {"iss", "aud", "iat", "token_introspection"}
        assert claims["aud"] == stranger.client_id


async def test_a_signed_answer_is_taken_for_nothing_else(tokens: TokenService) -> None:
    """J177: neither of them is an access token, an assertion or an ID token."""
    client = await tokens.world.client(userinfo_signed_response_alg="ES256")
    given = await tokens.tokens(client)
    introspection = await (await _jwt_introspection(tokens, client, given["access_token"])).text()
    assert jwt.get_unverified_header(introspection)["typ"] == "token-introspection+jwt"
    userinfo = await (await tokens.userinfo(given["access_token"])).text()
    keys = open_keys(await tokens.world.stores.keys.load(), [SECRET_KEY])
    assert read_hint(given["id_token"], keys, ISSUER).aud == (client.client_id,)
    for answer in (introspection, userinfo):
        response = await tokens.http.get(USERINFO.path, headers=bearer(answer))
        assert response.status == 401
        assert await tokens.introspect(client, answer) == {"active": False}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": answer,
        }
        assert (await tokens.token(None, form)).status == 401
        with pytest.raises(BadJwt):
            read_hint(answer, keys, ISSUER)


@pytest.mark.parametrize(
    ("accept", "is_jwt"),
    [
        (None, False),
        ("*/*", False),
        ("application/json", False),
        ("application/jwt", False),
        ("application/token-introspection+jwt", True),
        ("application/json;q=0.1, Application/Token-Introspection+JWT;q=1", True),
    ],
)
async def test_introspection_is_json_unless_asked_otherwise(
    tokens: TokenService, accept: str | None, is_jwt: bool
) -> None:
    """RFC 9701 §4."""
    client = await tokens.world.client(introspection_signed_response_alg="ES256")
    headers = {**basic(client.client_id), **({"Accept": accept} if accept else {})}
    response = await tokens.post(INTROSPECTION.path, {"token": "x"}, None, headers=headers)
    assert response.content_type == ("application/token-introspection+jwt" if is_jwt else "application/json")


@pytest.mark.point(1)
async def test_the_metadata_show_what_is_on(tokens: TokenService) -> None:
    """Every algorithm for which there is a key, and every encryption."""
    metadata = await (await tokens.http.get(OPENID_CONFIGURATION.path)).json()
    for response in ("id_token", "userinfo", "introspection"):
        assert set(metadata[f"{response}_signing_alg_values_supported"]) == set(PUBLIC_KEY_ALGORITHMS)
        assert metadata[f"{response}_encryption_alg_values_supported"] == list(ENCRYPTION_ALGORITHMS)
        assert metadata[f"{response}_encryption_enc_values_supported"] == list(CONTENT_ENCRYPTIONS)
    assert "RSA1_5" not in json.dumps(metadata)
