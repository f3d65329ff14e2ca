"""Request objects by value and by reference: RFC 9101, OpenID Connect Core 1.0 §6."""

import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import ECKey, OctKey, RSAKey

from shared.codec.base64url import base64url
from shared.live import clock
from shared.oauth.client.jwks import public_key
from shared.oauth.client.record import Client
from shared.oauth.supported import REQUEST_OBJECT_ALGORITHMS
from shared.oauth.tokens.keys import PrivateKey, public_jwk
from shared.paths import AUTHORIZATION
from shared.server.resources import KEYRING
from tests.authorization import (
    LOCAL_ISSUER,
    STATE,
    Page,
    a_request,
    is_error_page,
    is_login,
)
from tests.builders import REDIRECT_URI
from tests.front_channel import Services, serve_provider
from tests.jwt_types import OTHER_TYPES
from tests.planted import planted
from tests.planted.protocol import any_type, jwts_without_limits, unsigned_only_where_registered

EVIL = "https://evil.test/cb"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
KEYS: dict[str, PrivateKey] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
    "ES256": EC,
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
JWKS = {"keys": [public_jwk(key.public_key()) for key in dict.fromkeys(KEYS.values())]}
FOREIGN = ec.generate_private_key(ec.SECP256R1())


class Host:
    """The client's web server: its responses by path, and the requests that it got."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}
        self.asked: list[str] = []
        self.origin = ""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(request.path)
        document = self.documents.get(request.path)
        return web.Response(status=404) if document is None else web.Response(text=document)


@pytest_asyncio.fixture(scope="module")
async def host() -> AsyncIterator[Host]:
    """A server on loopback that the fetcher may reach."""
    answering = Host()
    server = RawTestServer(answering)
    await server.start_server()
    answering.origin = f"http://127.0.0.1:{server.port}"
    yield answering
    await server.close()


@pytest_asyncio.fixture(scope="module")
async def provider(module_database_url: str, module_redis_url: str, host: Host) -> AsyncIterator[Services]:
    """A deployment that lets clients register unsigned request objects."""
    async with serve_provider(
        module_database_url,
        module_redis_url,
        fetch_allow=host.origin.removeprefix("http://"),
        unsigned_request_objects="on",
    ) as served:
        yield served


def members(client: Client, **changes: Any) -> dict[str, Any]:
    """The claims of a request object that holds; None leaves one out."""
    now = int(time.time())
    whole = {
        **a_request(client),
        "state": "inside",
        "iss": client.client_id,
        "aud": LOCAL_ISSUER,
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def signed(claims: dict[str, Any], alg: str = "ES256", key: Any = None, **header: Any) -> str:
    """A request object."""
    headers = {"typ": "oauth-authz-req+jwt", **header}
    return jwt.encode(claims, key or KEYS[alg], algorithm=alg, headers=headers)


def unsigned(claims: Any, header: str = '{"alg":"none"}') -> str:
    """An unsigned request object."""
    payload = claims if isinstance(claims, str) else json.dumps(claims)
    return f"{base64url(header.encode())}.{base64url(payload.encode())}."


async def ask(provider: Services, client: Client, token: str, **outer: str) -> Page:
    """A request with an object in it, and little outside."""
    request = {
        "client_id": client.client_id,
        "response_type": "code",
        "scope": "openid",
        "request": token,
        **outer,
    }
    return await provider.op.browser().get(AUTHORIZATION.path, request)


def is_refused(page: Page, error: str = "invalid_request_object") -> bool:
    """Expect an error page without a redirect."""
    return is_error_page(page) and error in page.text


@pytest.mark.point(11)
@pytest.mark.parametrize("alg", REQUEST_OBJECT_ALGORITHMS)
@pytest.mark.parametrize("is_registered", [True, False])
async def test_each_algorithm(provider: Services, alg: str, is_registered: bool) -> None:
    """Signed by the client's own key, with the registered algorithm or, where none is, with any."""
    client = await provider.client(jwks=JWKS, request_object_signing_alg=alg if is_registered else None)
    page = await ask(provider, client, signed(members(client, prompt="none"), alg))
    assert page.location.startswith(f"{REDIRECT_URI}?error=login_required")
    assert page.answer["state"] == "inside"


@pytest.mark.point(11)
async def test_a_person_comes_to_the_end_with_what_is_inside(provider: Services) -> None:
    """The complete flow uses only the parameters inside."""
    client, user, browser = await provider.client(jwks=JWKS), await provider.op.user(), provider.op.browser()
    token = signed(members(client, nonce="inside", max_age=900, claims={"id_token": {"email": None}}))
    page = await browser.get(
        AUTHORIZATION.path,
        {**a_request(client, state="outside", nonce="outside", scope="openid profile"), "request": token},
    )
    page = await browser.decide(await browser.log_in(page, user))
    code = await provider.op.code(page)
    assert page.answer["state"] == "inside"
    assert (code.authorization.nonce, code.authorization.scope) == ("inside", ("openid", "email"))
    assert code.authorization.claims.id_token == {"email": None}


@pytest.mark.point(5, 11)
async def test_a_posted_request_keeps_what_is_inside(provider: Services) -> None:
    """A form of another site brings no session; the object is read before it is kept."""
    client = await provider.client(jwks=JWKS)
    posted = {"client_id": client.client_id, "request": signed(members(client, prompt="none"))}
    page = await provider.op.browser().post(AUTHORIZATION.path, posted)
    assert page.answer["error"] == "login_required"
    assert page.answer["state"] == "inside"


@pytest.mark.point(11)
async def test_what_is_outside_is_not_filled_in(provider: Services) -> None:
    """RFC 9101 §5: only what is inside counts; a `nonce` or a `state` outside was not the client's."""
    client = await provider.client(jwks=JWKS)
    token = signed(members(client, response_type="id_token", nonce=None, state=None))
    page = await ask(provider, client, token, nonce="outside", state="outside")
    assert page.answer["error"] == "invalid_request"
    assert "state" not in page.answer


@pytest.mark.point(11)
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("prompt", ["none", "login"])
async def test_a_wrong_outer_redirect_uri_leads_nowhere(provider: Services, method: str, prompt: str) -> None:
    """The response goes to the registered redirect URI inside the object."""
    client, browser = await provider.client(jwks=JWKS), provider.op.browser()
    request = {
        **a_request(client, redirect_uri=EVIL),
        "request": signed(members(client, prompt=prompt)),
    }
    if method == "GET":
        page = await browser.get(AUTHORIZATION.path, request)
    else:
        page = await browser.post(AUTHORIZATION.path, request)
    assert EVIL not in page.location
    assert "evil.test" not in page.text
    assert is_login(page) if prompt == "login" else page.location.startswith(REDIRECT_URI)


@pytest.mark.point(11)
async def test_a_wrong_redirect_uri_inside_leads_nowhere(provider: Services) -> None:
    """A wrong redirect URI inside gives a page, even with a registered one outside."""
    client = await provider.client(jwks=JWKS)
    token = signed(members(client, redirect_uri=EVIL))
    assert is_error_page(await ask(provider, client, token, redirect_uri=REDIRECT_URI))
    assert is_error_page(await ask(provider, client, signed(members(client, redirect_uri=None))))


@pytest.mark.point(11)
async def test_a_bad_object_is_told_where_the_outside_may_be_told(provider: Services) -> None:
    """Case 64: the error goes to the registered URI outside, with its `state`, or to a page."""
    client = await provider.client(jwks=JWKS)
    page = await ask(provider, client, "bogus", redirect_uri=REDIRECT_URI, state=STATE)
    assert page.location.startswith(f"{REDIRECT_URI}?error=invalid_request_object")
    assert page.answer["state"] == STATE
    assert is_refused(await ask(provider, client, "bogus"))
    assert is_error_page(await ask(provider, client, "bogus", redirect_uri=EVIL))


NOW = int(time.time())


@pytest.mark.point(11)
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another"},
        {"iss": None, "client_id": "another"},
        {"client_id": 1},
        {"aud": "https://other.test/oidc"},
        {"aud": ["https://other.test/oidc"]},
        {"aud": LOCAL_ISSUER + "/"},
        {"aud": []},
        {"aud": 1},
        {"exp": NOW - 1},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 1e300},
        {"nbf": NOW + 3600},
        {"iat": NOW + 3600},
        {"nbf": "soon"},
        {"request": "x"},
        {"request_uri": "urn:x"},
        {"state": 1},
        {"state": ["a"]},
        {"scope": ["openid"]},
        {"max_age": True},
        {"max_age": 1.5},
        {"max_age": [1]},
        {"claims": []},
        {"state": "\0"},
        {"state": "\ud800"},
        {"redirect_uri": {"a": 1}},
    ],
)
async def test_claims_that_do_not_hold(provider: Services, changes: dict[str, Any]) -> None:
    """Cases 67, 69: wrong clients, audiences, times, types, and nested objects are refused."""
    client = await provider.client(jwks=JWKS)
    assert is_refused(await ask(provider, client, signed(members(client, **changes))))


async def test_a_client_assertion_is_no_request_object(provider: Services) -> None:
    """RFC 9101 §10.8: `sub` of the client marks what was made for the token endpoint."""
    client = await provider.client(jwks=JWKS)
    assert is_refused(await ask(provider, client, signed(members(client, sub=client.client_id))))


@pytest.mark.point(11)
@pytest.mark.parametrize(
    "changes",
    [
        {"nbf": NOW + 8, "iat": NOW + 8},
        {"aud": [LOCAL_ISSUER, "https://other.test"]},
        {"iss": None, "aud": None, "exp": None, "nbf": None, "iat": None, "client_id": None},
        {"unknown": {"a": [1]}},
    ],
)
async def test_claims_that_hold(provider: Services, changes: dict[str, Any]) -> None:
    """Case 67: a clock that is eight seconds fast, more audiences, and Core's objects without claims."""
    client = await provider.client(jwks=JWKS)
    assert is_login(await ask(provider, client, signed(members(client, **changes))))


@pytest.mark.parametrize(
    "typ",
    [
        "oauth-authz-req+jwt",
        "application/oauth-authz-req+jwt",
        "OAuth-AuthZ-Req+JWT",
        "JWT",
        "JOSE",
        None,
    ],
)
async def test_types_that_are_accepted(provider: Services, typ: str | None) -> None:
    """RFC 9101 §10.8: the type of a request object, or one that says nothing."""
    client = await provider.client(jwks=JWKS)
    assert is_login(await ask(provider, client, signed(members(client), typ=typ)))


@planted(any_type)
@pytest.mark.parametrize("typ", OTHER_TYPES)
async def test_a_jwt_made_for_another_use_is_no_request_object(provider: Services, typ: str) -> None:
    """RFC 8725 §3.11."""
    client = await provider.client(jwks=JWKS)
    assert is_refused(await ask(provider, client, signed(members(client), typ=typ)))


@planted(jwts_without_limits)
@pytest.mark.parametrize("depth", [25, 254, 900])
async def test_claims_nested_too_deeply_inside_are_refused(provider: Services, depth: int) -> None:
    """The limits of JSON apply inside request objects."""
    nested: Any = None
    for _ in range(depth):
        nested = {"x": nested}
    client = await provider.client(jwks=JWKS)
    page = await ask(provider, client, signed(members(client, claims={"id_token": nested})))
    assert is_refused(page)


PEM = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _confused(claims: dict[str, Any], public: bytes) -> str:
    """Signed with a secret that is the client's public key."""
    head = base64url(b'{"alg":"HS256","typ":"JWT"}')
    payload = base64url(json.dumps(claims).encode())
    return f"{head}.{payload}.{base64url(hmac.digest(public, f'{head}.{payload}'.encode(), 'sha256'))}"


def _parts(token: str) -> list[str]:
    return token.split(".")


@pytest.mark.point(11)
async def test_keys_that_are_not_the_clients(provider: Services, host: Host) -> None:
    """Case 65: foreign keys, public keys as secrets, and keys in the header are refused."""
    client, asked = await provider.client(jwks=JWKS), len(host.asked)
    claims = members(client)
    jku = {"jku": f"{host.origin}/jwks", "x5u": f"{host.origin}/x5u", "kid": "../../dev/null"}
    for token in (
        signed(claims, key=FOREIGN),
        signed(claims, key=FOREIGN, jwk=public_jwk(FOREIGN.public_key())),
        signed(claims, key=FOREIGN, **jku),
        *(_confused(claims, json.dumps(key).encode()) for key in JWKS["keys"]),
        _confused(claims, PEM),
        _confused(claims, b""),
        signed(claims, alg="ES384", key=KEYS["ES384"])[:-8] + "AAAAAAAA",
    ):
        assert is_refused(await ask(provider, client, token))
    assert len(host.asked) == asked


async def test_shapes_that_are_none(provider: Services) -> None:
    """Cases 66, 69: encrypted, ambiguous, oversized and otherwise malformed objects are refused."""
    client = await provider.client(jwks=JWKS)
    claims = members(client)
    good = signed(claims)
    head, payload, signature = _parts(good)
    doubled = json.dumps(claims)[:-1] + ', "state": "second"}'
    repeated = jwt.PyJWS().encode(doubled.encode(), EC, algorithm="ES256")
    for token in (
        f"{good}.",
        f"{good} ",
        f" {good}",
        f"{good}=",
        f"{head}.{payload}",
        f"{head}.{payload}.",
        f"{head}.{payload}.{signature}.x.y",
        json.dumps({"payload": payload, "protected": head, "signature": signature}),
        signed(claims, crit=["b64"], b64=False),
        signed(claims, zip="DEF"),
        repeated,
        signed(members(client, state="x" * 20_000)),
    ):
        page = await ask(provider, client, token)
        assert page.status in (400, 414, 431), token[:40]
        assert "login-submit" not in page.text


@pytest.mark.parametrize("alg", ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "dir", "PBES2-HS256+A128KW"])
async def test_an_encrypted_object_is_none(provider: Services, alg: str) -> None:
    """Case 66: encrypted objects are refused, whatever they contain."""
    client = await provider.client(jwks=JWKS)
    claims = members(client)
    bomb = json.dumps({**claims, "state": "x" * 1_000_000})
    for content in (json.dumps(claims), signed(claims), _encrypted(provider, "x", alg), bomb):
        page = await ask(provider, client, _encrypted(provider, content, alg))
        assert is_refused(page)


def _encrypted(provider: Services, content: str, alg: str) -> str:
    """To our own public key, compressed where it is long."""
    registry = jwe.JWERegistry(algorithms=[alg, "A128CBC-HS256", "DEF"])
    ours = provider.op.app[KEYRING].known
    signer = ours.signer("RS256" if alg.startswith("RSA") else "ES256", clock.now())
    verifier = ours.verifier(signer.kid)
    assert verifier is not None
    key = (RSAKey if alg.startswith("RSA") else ECKey).import_key({**public_jwk(public_key(verifier.jwk))})
    header = {"alg": alg, "enc": "A128CBC-HS256", **({"zip": "DEF"} if len(content) > 10_000 else {})}
    secret = OctKey.import_key(b"k" * 32) if alg in ("dir", "PBES2-HS256+A128KW") else key
    return jwe.encrypt_compact(header, content.encode(), secret, registry=registry)


@pytest.mark.point(11)
@planted(unsigned_only_where_registered)
async def test_unsigned_ones_where_nothing_else_is_registered(provider: Services) -> None:
    """Registration 1.0 §2: an omitted `request_object_signing_alg` means any that the server announces."""
    for registered in ("none", None):
        client = await provider.client(jwks=JWKS, request_object_signing_alg=registered)
        assert is_login(await ask(provider, client, unsigned(members(client))))


@pytest.mark.point(11)
async def test_no_unsigned_ones_where_an_algorithm_is_registered(provider: Services) -> None:
    """Case 64: the registered algorithm is the only one."""
    client = await provider.client(jwks=JWKS, request_object_signing_alg="ES256")
    assert is_refused(await ask(provider, client, unsigned(members(client))))


@pytest.mark.point(11)
async def test_unsigned_ones_only_where_the_deployment_lets_them(
    module_database_url: str, module_redis_url: str
) -> None:
    """`OSTIARY_UNSIGNED_REQUEST_OBJECTS` is off by default, whatever a client was once registered for."""
    async with serve_provider(module_database_url, module_redis_url) as strict:
        for registered in ("none", None):
            client = await strict.client(request_object_signing_alg=registered)
            assert is_refused(await ask(strict, client, unsigned(members(client))))


@pytest.mark.point(11)
@pytest.mark.parametrize(
    "token",
    [
        unsigned("[]"),
        unsigned("{"),
        unsigned('{"state": "a", "state": "b"}'),
        unsigned('{"state": NaN}'),
        unsigned("{}", '{"alg":"None"}'),
        unsigned("{}", '{"alg":"nOnE"}'),
        unsigned("{}", "{}"),
        unsigned("{}") + "c2ln",
    ],
)
async def test_unsigned_ones_that_are_none(provider: Services, token: str) -> None:
    """Read as strictly as signed ones."""
    client = await provider.client(request_object_signing_alg="none")
    assert is_refused(await ask(provider, client, token))


async def test_a_client_that_must_sign(provider: Services) -> None:
    """`require_signed_request_object`: a plain request is refused, an unsigned object too."""
    client = await provider.client(jwks=JWKS, require_signed_request_object=True)
    page = await provider.op.browser().authorize(client)
    assert page.answer["error"] == "invalid_request"
    assert is_refused(await ask(provider, client, unsigned(members(client))))
    assert is_login(await ask(provider, client, signed(members(client))))


async def by_reference(provider: Services, client: Client, request_uri: str, **outer: str) -> Page:
    """A request that names its object."""
    request = {"client_id": client.client_id, "request_uri": request_uri, **outer}
    return await provider.op.browser().get(AUTHORIZATION.path, request)


@pytest.mark.point(11)
async def test_an_object_by_reference(provider: Services, host: Host) -> None:
    """Core 1.0 §6.2: fetched from a registered URI, once for the whole interaction; a fragment is a hash."""
    uri = f"{host.origin}/object#T3JhbmdlcyBhbmQgbGVtb25z"
    client = await provider.client(jwks=JWKS, request_uris=(uri,))
    user, browser = await provider.op.user(), provider.op.browser()
    host.documents["/object"] = signed(members(client)) + "\n"
    asked = len(host.asked)
    page = await browser.get(AUTHORIZATION.path, {"client_id": client.client_id, "request_uri": uri})
    page = await browser.decide(await browser.log_in(page, user))
    assert page.answer["state"] == "inside"
    assert "code" in page.answer
    assert host.asked[asked:] == ["/object"]


@pytest.mark.point(11)
async def test_only_a_registered_reference_is_fetched(provider: Services, host: Host) -> None:
    """Byte for byte: another path, another query, another fragment, another client's."""
    registered = f"{host.origin}/registered"
    client = await provider.client(jwks=JWKS, request_uris=(registered,))
    other = await provider.client(jwks=JWKS)
    host.documents["/registered"] = signed(members(client))
    asked = len(host.asked)
    for uri in (
        f"{registered}?x",
        f"{registered}/",
        f"{registered}#x",
        f"{host.origin}/x",
        "file:///etc/passwd",
    ):
        assert is_refused(await by_reference(provider, client, uri), "invalid_request_uri")
    assert is_refused(await by_reference(provider, other, registered), "invalid_request_uri")
    assert len(host.asked) == asked
    assert is_login(await by_reference(provider, client, registered))


@pytest.mark.point(11)
async def test_a_reference_to_nothing(provider: Services, host: Host) -> None:
    """A missing document or one that is not an object is reported to the redirect URI outside."""
    client = await provider.client(
        jwks=JWKS, request_uris=(f"{host.origin}/missing", f"{host.origin}/page", "http://10.0.0.1/x")
    )
    host.documents["/page"] = "<html>"
    page = await by_reference(provider, client, f"{host.origin}/missing", redirect_uri=REDIRECT_URI)
    assert page.answer["error"] == "invalid_request_uri"
    assert is_refused(await by_reference(provider, client, f"{host.origin}/page"))
    assert is_refused(await by_reference(provider, client, "http://10.0.0.1/x"), "invalid_request_uri")


@pytest.mark.point(11)
async def test_two_objects_are_none(provider: Services, host: Host) -> None:
    """Core 1.0 §6.1: `request` and `request_uri` exclude each other; and neither may be there twice."""
    client = await provider.client(jwks=JWKS, request_uris=(f"{host.origin}/object",))
    token = signed(members(client))
    both = {"request": token, "request_uri": f"{host.origin}/object", "client_id": client.client_id}
    assert is_refused(await provider.op.browser().get(AUTHORIZATION.path, both), "invalid_request")
    for name in ("request", "request_uri"):
        query = f"client_id={client.client_id}&{name}={both[name]}&{name}={both[name]}"
        page = await provider.op.browser().get(f"{AUTHORIZATION}?{query}")
        assert is_refused(page, "invalid_request")


async def test_an_object_presented_twice_is_harmless(provider: Services) -> None:
    """Case 70: two transactions begin, each with the `state` that its client expects once."""
    client = await provider.client(jwks=JWKS)
    token = signed(members(client, jti="once"))
    assert is_login(await ask(provider, client, token))
    assert is_login(await ask(provider, client, token))
