"""Client authentication: the registered method, exactly one, and the same response to every failure."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import jwt
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.codec.base64url import base64url
from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.keys import PrivateKey, public_jwk
from shared.paths import DEVICE_AUTHORIZATION, INTROSPECTION, REVOCATION, TOKEN, Path
from tests.builders import REDIRECT_URI, SECRET, VERIFIER
from tests.deployment import ISSUER, TokenService, basic

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"grant_type": "client_credentials", "scope": "api:read"}

EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS: Mapping[str, PrivateKey] = {"ES256": EC_KEY, "RS256": RSA_KEY, "PS256": RSA_KEY, "EdDSA": ED_KEY}


def _jwks(*keys: PrivateKey, **members: str) -> dict[str, Any]:
    return {"keys": [{**public_jwk(key.public_key()), **members} for key in keys]}


def _claims(client: Client, **changes: Any) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": client.client_id,
        "sub": client.client_id,
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": uuid4().hex,
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def _signed(claims: Mapping[str, Any], key: Any = EC_KEY, alg: str = "ES256", **header: Any) -> str:
    return jwt.encode(dict(claims), key, alg, headers=header or None)


def _form(assertion: str, **more: str) -> dict[str, str]:
    return {**FORM, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion, **more}


async def _signing_client(tokens: TokenService, **fields: Any) -> Client:
    defaults = {"jwks": _jwks(EC_KEY, RSA_KEY, ED_KEY), "secrets": ()}
    return await tokens.world.client(token_endpoint_auth_method="private_key_jwt", **{**defaults, **fields})


async def _status(tokens: TokenService, form: Mapping[str, str], **more: Any) -> int:
    response = await tokens.token(None, form, **more)
    answer = await response.json()
    assert ("access_token" in answer) == (response.status == 200)
    if response.status == 401:
        assert answer["error"] == "invalid_client"
        assert answer["status_code"] == 401
        assert response.headers["WWW-Authenticate"].startswith("Basic ")
    return response.status


@pytest.mark.point(14)
@pytest.mark.parametrize("client_id", ["plain", "with space", "with:colon", "with%25", "ünï+code"])
async def test_basic_halves_are_form_urlencoded(tokens: TokenService, client_id: str) -> None:
    """RFC 6749 §2.3.1."""
    client = await tokens.world.client(client_id=f"{client_id}-{uuid4().hex}")
    assert await _status(tokens, FORM, headers=basic(client.client_id)) == 200


@pytest.mark.point(14)
@pytest.mark.parametrize(
    ("registered", "expected"),
    [
        ("client_secret_basic", (200, 401, 401)),
        ("client_secret_post", (401, 200, 401)),
        ("none", (401, 401, 400)),
        ("private_key_jwt", (401, 401, 401)),
    ],
)
async def test_only_the_registered_method_will_do(
    tokens: TokenService, registered: str, expected: tuple[int, int, int]
) -> None:
    """Only the registered method works, even with the correct secret."""
    client = await tokens.world.client(token_endpoint_auth_method=registered)
    name = {"client_id": client.client_id}
    assert await _status(tokens, FORM, headers=basic(client.client_id)) == expected[0]
    assert await _status(tokens, {**FORM, **name, "client_secret": SECRET}) == expected[1]
    assert await _status(tokens, {**FORM, **name}) == expected[2]


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b":secret").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Basic " + base64.b64encode(b"c%00:x").decode(),
        "Basic " + base64.b64encode(b"c%ff:x").decode(),
        "Bearer at_x",
        "Digest x",
    ],
)
async def test_a_malformed_header_is_no_authentication(tokens: TokenService, authorization: str) -> None:
    """401, without a reason."""
    assert await _status(tokens, FORM, headers={"Authorization": authorization}) == 401


@pytest.mark.point(13)
async def test_a_wrong_secret_and_an_unknown_client_look_alike(tokens: TokenService) -> None:
    """The responses to a wrong secret, an unknown client and a disabled client are equal."""
    client, disabled = await tokens.world.client(), await tokens.world.client()
    await tokens.world.stores.clients.disable(disabled.client_id)
    bodies = set()
    for headers in (basic(client.client_id, "wrong"), basic("nobody"), basic(disabled.client_id)):
        response = await tokens.token(None, FORM, headers=headers)
        assert response.status == 401
        bodies.add(await response.text())
    assert len(bodies) == 1


@pytest.mark.point(14)
@pytest.mark.parametrize("path", [TOKEN, REVOCATION, INTROSPECTION], ids=str)
async def test_two_identities_are_refused(tokens: TokenService, path: object) -> None:
    """A request with two identities is refused at every endpoint."""
    one, two, signing = (
        await tokens.world.client(),
        await tokens.world.client(),
        await _signing_client(tokens),
    )
    assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": _signed(_claims(signing))}
    header = basic(one.client_id)
    for form, headers in (
        ({"client_id": two.client_id}, header),
        ({"client_id": two.client_id, "client_secret": SECRET}, header),
        ({"client_id": one.client_id, "client_secret": SECRET}, header),
        (assertion, header),
        ({**assertion, "client_id": one.client_id}, {}),
        ({**assertion, "client_id": signing.client_id, "client_secret": SECRET}, {}),
    ):
        response = await tokens.post(str(path), {**FORM, "token": "x", **form}, headers=headers)
        assert response.status in (400, 401), form
        assert (await response.json())["error"] in ("invalid_request", "invalid_client")


async def test_a_secret_in_the_url_is_not_processed(tokens: TokenService) -> None:
    """A secret in the URL is ignored, as it may have been logged."""
    client = await tokens.world.client(token_endpoint_auth_method="client_secret_post")
    query = f"{TOKEN.path}?client_id={client.client_id}&client_secret={SECRET.replace(' ', '+')}"
    for form in (FORM, {}):
        assert (await tokens.post(query, form)).status == 400


@pytest.mark.parametrize("name", ["code", "code_verifier", "grant_type", "refresh_token", "client_assertion"])
async def test_nothing_in_the_url_is_processed_or_logged(tokens: TokenService, name: str) -> None:
    """Parameters in the URL are neither used nor logged, also not beside a body."""
    client, sign_in = await tokens.world.client(), await tokens.world.sign_in()
    form = {
        "grant_type": "authorization_code",
        "code": await tokens.world.add_code(sign_in.code(client.client_id)),
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }
    moved = form.get(name, "canary-in-the-url")
    kept = {key: value for key, value in form.items() if key != name}
    with structlog.testing.capture_logs() as logs:
        for body in (kept, form, {}):
            response = await tokens.post(f"{TOKEN.path}?{name}={moved}", body, client)
            assert (response.status, (await response.json())["error"]) == (400, "invalid_request")
    assert moved not in str(logs) or moved == "authorization_code"
    assert (await tokens.token(client, form)).status == 200


async def test_a_repeated_parameter_is_refused(tokens: TokenService) -> None:
    """RFC 6749 §3.2."""
    client = await tokens.world.client()
    for name in ("grant_type", "scope", "client_id"):
        data = f"grant_type=client_credentials&scope=api:read&client_id={client.client_id}&{name}=x"
        response = await tokens.http.post(
            TOKEN.path,
            data=data,
            headers={**basic(client.client_id), "Content-Type": "application/x-www-form-urlencoded"},
        )
        assert (response.status, (await response.json())["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (TOKEN, "grant_type=client_credentials&redirect_uri=a&redirect_uri=a"),  # which this grant ignores
        (INTROSPECTION, "token=x&token_type_hint=y&token_type_hint=y"),
        (REVOCATION, "token=x&token_type_hint=y&token_type_hint=y"),
        (DEVICE_AUTHORIZATION, "scope=openid&scope=openid"),
    ],
    ids=str,
)
async def test_a_known_parameter_is_refused_even_where_it_is_not_read(
    tokens: TokenService, path: Path, form: str
) -> None:
    """RFC 6749 §3.2, RFC 8628 §3.1: whatever its values are."""
    client = await tokens.world.client(grant_types=("client_credentials", DEVICE_CODE))
    headers = {**basic(client.client_id), "Content-Type": "application/x-www-form-urlencoded"}
    response = await tokens.http.post(path.path, data=form, headers=headers)
    assert (response.status, (await response.json())["error"]) == (400, "invalid_request")


UNKNOWN_TWICE = "x=1&x=2"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (TOKEN, "grant_type=client_credentials"),
        (INTROSPECTION, "token=x"),
        (REVOCATION, "token=x"),
        (DEVICE_AUTHORIZATION, "scope=openid"),
    ],
    ids=str,
)
async def test_an_unknown_parameter_may_be_repeated(tokens: TokenService, path: Path, form: str) -> None:
    """It is ignored (RFC 6749 §3.2)."""
    client = await tokens.world.client(grant_types=("client_credentials", DEVICE_CODE))
    headers = {**basic(client.client_id), "Content-Type": "application/x-www-form-urlencoded"}
    response = await tokens.http.post(path.path, data=f"{form}&{UNKNOWN_TWICE}", headers=headers)
    assert response.status == 200, await response.text()


@pytest.mark.point(14)
@pytest.mark.parametrize("alg", KEYS)
async def test_an_assertion_authenticates(tokens: TokenService, alg: str) -> None:
    """RFC 7523, with every algorithm, with and without a kid, and with either audience; once."""
    client = await _signing_client(tokens)
    for aud in (ISSUER, f"{ISSUER}/oauth2/token", [ISSUER]):
        assertion = _signed(_claims(client, aud=aud), KEYS[alg], alg)
        assert await _status(tokens, _form(assertion)) == 200
        assert await _status(tokens, _form(assertion)) == 401
    named = await _signing_client(tokens, jwks=_jwks(KEYS[alg], kid="k1", use="sig", alg=alg))
    assert await _status(tokens, _form(_signed(_claims(named), KEYS[alg], alg, kid="k1"))) == 200
    assert await _status(tokens, _form(_signed(_claims(named), KEYS[alg], alg, kid="k2"))) == 401


BAD_CLAIMS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "another iss": lambda _: {"iss": "another"},
    "another sub": lambda _: {"sub": "another"},
    "no iss": lambda _: {"iss": None},
    "no aud": lambda _: {"aud": None},
    "an empty aud": lambda _: {"aud": []},
    "another aud": lambda _: {"aud": "https://other.example.org/oidc"},
    "an aud beside ours": lambda _: {"aud": [ISSUER, "https://evil.test"]},
    "the issuer and a slash": lambda _: {"aud": f"{ISSUER}/"},
    "a prefix of the issuer": lambda _: {"aud": ISSUER[:-1]},
    "another endpoint": lambda _: {"aud": f"{ISSUER}/oauth2/auth"},
    "no exp": lambda _: {"exp": None},
    "expired": lambda now: {"exp": now - 1},
    "exp too late": lambda now: {"exp": now + 320},
    "exp years ahead": lambda now: {"exp": now + 10**9},
    "exp beyond all dates": lambda _: {"exp": 10**30},
    "exp as a string": lambda now: {"exp": str(now + 60)},
    "exp as a boolean": lambda _: {"exp": True},
    "no iat": lambda _: {"iat": None},
    "iat from the future": lambda now: {"iat": now + 61, "exp": now + 120},
    "iat of long ago": lambda now: {"iat": now - 311},
    "iat after exp": lambda now: {"iat": now + 5, "exp": now + 4},
    "nbf from the future": lambda now: {"nbf": now + 61},
    "no jti": lambda _: {"jti": None},
    "an empty jti": lambda _: {"jti": ""},
    "a jti that is a number": lambda _: {"jti": 7},
    "a long jti": lambda _: {"jti": "x" * 513},
}


@pytest.mark.point(14)
@pytest.mark.parametrize("change", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
async def test_bad_claims_are_refused(tokens: TokenService, change: Callable[[int], dict[str, Any]]) -> None:
    """Wrong audiences, times and identifiers are refused."""
    client = await _signing_client(tokens)
    assert await _status(tokens, _form(_signed(_claims(client, **change(int(time.time())))))) == 401


@pytest.mark.parametrize("host", ["evil.test", "id.example.org:8443", "id.example.org."])
async def test_the_host_header_names_no_audience(tokens: TokenService, host: str) -> None:
    """The Host header does not change the accepted audiences."""
    client = await _signing_client(tokens)
    headers = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}"}
    for aud in (f"https://{host}/oidc", f"https://{host}/oidc/oauth2/token", f"http://{host}{TOKEN.path}"):
        assertion = _signed(_claims(client, aud=aud))
        assert await _status(tokens, _form(assertion), headers=headers) == 401
    assert await _status(tokens, _form(_signed(_claims(client))), headers=headers) == 200


@pytest.mark.parametrize(
    "jti", ["a:b", "*", "a\nb", "{jti:00}", "code:x", "../x", "é", "' OR 1=1", "x" * 512, " "]
)
async def test_a_jti_is_used_once_whatever_stands_in_it(tokens: TokenService, jti: str) -> None:
    """Once for each client."""
    one, two = await _signing_client(tokens), await _signing_client(tokens)
    for client in (one, two):
        assertion = _signed(_claims(client, jti=jti))
        assert [await _status(tokens, _form(assertion)) for _ in range(2)] == [200, 401]


async def test_a_clock_that_is_a_little_ahead_is_forgiven(tokens: TokenService) -> None:
    """Eight seconds."""
    client = await _signing_client(tokens)
    assert await _status(tokens, _form(_signed(_claims(client, iat=int(time.time()) + 8)))) == 200


async def test_clients_do_not_share_their_jti(tokens: TokenService) -> None:
    """One client's never blocks another's."""
    one, two, jti = await _signing_client(tokens), await _signing_client(tokens), uuid4().hex
    for client in (one, two):
        assert await _status(tokens, _form(_signed(_claims(client, jti=jti)))) == 200


HOSTILE_HEADERS = {
    "an embedded jwk": {"jwk": public_jwk(EC_KEY.public_key())},
    "jku": {"jku": "http://127.0.0.1:1/jwks"},
    "x5u": {"x5u": "http://127.0.0.1:1/x5u"},
    "x5c": {"x5c": ["AAAA"]},
    "a path as kid": {"kid": "../../dev/null"},
    "SQL as kid": {"kid": "' OR 1=1 --"},
    "a number as kid": {"kid": 7},
    "the kid of another client": {"kid": "another client's"},
    "crit": {"crit": ["exp"], "exp": 1},
    "b64": {"b64": False, "crit": ["b64"]},
    "zip": {"zip": "DEF"},
}


@pytest.mark.parametrize("header", HOSTILE_HEADERS.values(), ids=HOSTILE_HEADERS.keys())
async def test_a_header_brings_no_key(tokens: TokenService, header: dict[str, Any]) -> None:
    """The key is the client's registered one, whatever the header says."""
    client = await _signing_client(tokens, jwks=_jwks(ED_KEY, kid="registered"))
    await _signing_client(tokens, jwks=_jwks(EC_KEY, kid="another client's"))
    payload = {"typ": "JWT", "alg": "ES256", **header}
    signing_input = ".".join(base64url(json.dumps(part).encode()) for part in (payload, _claims(client)))
    good = _signed(_claims(client))
    assert await _status(tokens, _form(f"{signing_input}.{good.split('.')[2]}")) == 401
    assert await _status(tokens, _form(f"{signing_input}.")) == 401


def _compact(header: Mapping[str, Any], parts: int) -> str:
    return ".".join([base64url(json.dumps(header).encode()), *["AAAA"] * (parts - 1)])


@pytest.mark.parametrize(
    "assertion",
    [
        "x",
        "a.b",
        "a.b.c",
        "a.b.c.d.e",
        "." * 2,
        '{"payload":"x"}',
        "é.é.é",
        "A" * 15000,
        "e30.e30.",
        "e30.bnVsbA.",
        _compact({"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2**31 - 1, "p2s": "AAAA"}, 5),
        _compact({"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"}, 5),
        _compact({"alg": "ES256", "p2c": 2**31 - 1}, 3),
        _compact({"alg": ["ES256"]}, 3),
        _compact({"alg": "ES256", "crit": []}, 3),
    ],
)
async def test_what_is_no_assertion_is_refused(tokens: TokenService, assertion: str) -> None:
    """JSON serialisation, five parts and junk are refused."""
    assert await _status(tokens, _form(assertion)) == 401


async def test_algorithms_are_not_confused(tokens: TokenService) -> None:
    """`none`, HMAC with a public key, unregistered algorithms and foreign keys are refused."""
    client = await _signing_client(tokens, token_endpoint_auth_signing_alg="ES256")
    other = ec.generate_private_key(ec.SECP256R1())
    unsigned = jwt.encode(_claims(client), "", "none")
    confused = jwt.encode(_claims(client), base64url(b"k" * 64), "HS256")
    for assertion in (
        unsigned,
        confused,
        _signed(_claims(client), RSA_KEY, "RS256"),
        _signed(_claims(client), other),
    ):
        assert await _status(tokens, _form(assertion)) == 401
    assert await _status(tokens, _form(_signed(_claims(client)))) == 200


SMALL_ORDER = (
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
)
"""Ed25519's eight points of small order, and their other encodings."""


def _weak_keys() -> dict[str, dict[str, Any]]:
    good = public_jwk(EC_KEY.public_key())
    wide = public_jwk(RSA_KEY.public_key())
    numbers = RSA_KEY.public_key().public_numbers()
    return {
        "an exponent of one": {**wide, "e": "AQ"},
        "a modulus of 16384 bits": {**wide, "n": base64url(b"\xff" * 2048)},
        "a modulus of 1024 bits": {**wide, "n": base64url((numbers.n >> 1024 | 1).to_bytes(128, "big"))},
        "a point off the curve": {**good, "y": good["x"]},
        "P-256 for ES384": {**good, "alg": "ES384"},
        **{
            f"a small-order point, {point[:8]}{point[-2:]}": {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": base64url(bytes.fromhex(point)),
            }
            for point in SMALL_ORDER
        },
        "a symmetric key": {"kty": "oct", "k": base64url(b"k" * 32)},
        "a private key": {**good, "d": base64url(b"d" * 32)},
        "for encryption": {**good, "use": "enc"},
        "no key": {},
    }


@pytest.mark.parametrize("name", _weak_keys())
async def test_a_weak_key_verifies_nothing(tokens: TokenService, name: str) -> None:
    """Also where one got past registration."""
    client = await _signing_client(tokens, jwks={"keys": [_weak_keys()[name]]})
    for alg, key in KEYS.items():
        assert await _status(tokens, _form(_signed(_claims(client), key, alg))) == 401


async def test_a_key_under_which_anything_holds_verifies_nothing(tokens: TokenService) -> None:
    """For Ed25519's neutral element as a key, one signature fits every message."""
    neutral = b"\1" + bytes(31)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64url(neutral)}
    client = await _signing_client(tokens, jwks={"keys": [jwk]})
    signing_input = _signed(_claims(client), ED_KEY, "EdDSA").rpartition(".")[0]
    signature = neutral + bytes(32)
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(signature, signing_input.encode())
    assert await _status(tokens, _form(f"{signing_input}.{base64url(signature)}")) == 401


async def test_an_empty_basic_secret_is_no_authentication(tokens: TokenService) -> None:
    """Cells' WordPress and curl recipes: a public client's name with an empty secret."""
    client = await tokens.world.public_client()
    code = await tokens.world.add_code((await tokens.world.sign_in()).code(client.client_id))
    confidential = await tokens.world.client()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": "https://rp1.test/cb",
        "code_verifier": "a-code-verifier-of-more-than-forty-three-characters",
    }
    assert await _status(tokens, form, headers=basic(confidential.client_id, "")) == 401
    assert await _status(tokens, form, headers=basic(client.client_id, "")) == 200


async def test_a_public_client_has_no_token_of_its_own(tokens: TokenService) -> None:
    """A public client gets no token of its own, no client gets openid for itself, nor a user's identifier."""
    public = await tokens.world.public_client()
    response = await tokens.token(public, FORM)
    assert (response.status, (await response.json())["error"]) == (400, "unauthorized_client")
    client = await tokens.world.client()
    for scope in ("openid", "offline_access api:read"):
        response = await tokens.token(client, {**FORM, "scope": scope})
        assert (response.status, (await response.json())["error"]) == (400, "invalid_scope")
    user = await tokens.world.user()
    impostor = await tokens.world.client(client_id=str(user.user_id))
    response = await tokens.token(impostor, FORM)
    assert (response.status, (await response.json())["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize(
    ("grant_type", "error"),
    [
        (None, "invalid_request"),
        ("password", "unsupported_grant_type"),
        ("refresh_token", "unauthorized_client"),
    ],
)
async def test_other_grant_types_are_refused(
    tokens: TokenService, grant_type: str | None, error: str
) -> None:
    """Missing, unknown, not registered."""
    client = await tokens.world.client(grant_types=("client_credentials",))
    response = await tokens.token(client, {"grant_type": grant_type} if grant_type else {"x": "y"})
    assert (response.status, (await response.json())["error"]) == (400, error)
