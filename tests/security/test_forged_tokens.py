"""Tokens with foreign signatures or of another type, wherever a token is read."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.codec.base64url import base64url, from_base64url
from shared.live import clock
from shared.oauth.client.jwks import public_key
from shared.oauth.tokens.jwt import sign, unverified_header
from shared.paths import END_SESSION
from shared.server.resources import KEYRING
from tests.authorization import STATE
from tests.front_channel import Services


def _token(header: dict[str, Any], claims: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    content = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return f"{content}.{base64url(signature(content.encode()))}"


def _ecdsa(content: bytes) -> bytes:
    """64 bytes that look like an ES256 signature."""
    return hashlib.sha512(content).digest()


def _changed(claims: dict[str, Any]) -> dict[str, Any]:
    return {**claims, "sub": "248289761001"}


def forgeries(provider: Services, genuine: str) -> dict[str, str]:
    """Forgeries of *genuine*, a JWT that this deployment has signed with ES256."""
    kid = unverified_header(genuine).kid or ""
    ours = provider.op.app[KEYRING].known.verifier(kid)
    assert ours is not None
    pem = public_key(ours.jwk).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head, payload, signature = genuine.split(".")
    header, claims = json.loads(from_base64url(head)), json.loads(from_base64url(payload))
    jwk = json.dumps(dict(ours.jwk)).encode()
    stranger = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    own = {"kty": "EC", "crv": "P-256", "x": base64url(stranger.x.to_bytes(32, "big"))}
    return {
        "alg none": _token({**header, "alg": "none"}, claims, lambda _: b""),
        "alg NONE": _token({**header, "alg": "NONE"}, claims, lambda _: b""),
        "alg missing": _token({"kid": kid, "typ": header["typ"]}, claims, lambda _: b""),
        "HS256 with our public key as PEM": _token(
            {**header, "alg": "HS256"}, claims, lambda text: hmac.digest(pem, text, "sha256")
        ),
        "HS256 with our public key as JWK": _token(
            {**header, "alg": "HS256"}, claims, lambda text: hmac.digest(jwk, text, "sha256")
        ),
        "HS256 with an empty key": _token(
            {**header, "alg": "HS256"}, claims, lambda text: hmac.digest(b"", text, "sha256")
        ),
        "another's signature": _token(header, claims, _ecdsa),
        "a signature of zeroes": _token(header, claims, lambda _: bytes(64)),
        "a key of its own": _token({**header, "jwk": own}, claims, _ecdsa),
        "a kid that is a path": _token({**header, "kid": "../../dev/null"}, claims, lambda _: b""),
        "a kid that is SQL": _token({**header, "kid": "' OR 1=1 --"}, claims, _ecdsa),
        "a kid that is a number": _token({**header, "kid": 1}, claims, _ecdsa),
        "another sub": f"{head}.{base64url(json.dumps(_changed(claims)).encode())}.{signature}",
        "no signature": f"{head}.{payload}.",
        "two parts": f"{head}.{payload}",
        "five parts": f"{genuine}.{payload}.{signature}",
        "JSON": json.dumps({"protected": head, "payload": payload, "signature": signature}),
        "a trailing dot": f"{genuine}.",
        "a trailing space": f"{genuine} ",
        "an unknown crit": _token({**header, "crit": ["b64"], "b64": False}, claims, _ecdsa),
    }


@pytest.mark.point(9, 22)
async def test_no_forged_hint_counts(provider: Services) -> None:
    """As `id_token_hint` of an authorization request and of a logout: refused, and nobody is signed out."""
    op, client, browser = provider.op, await provider.client(), provider.op.browser()
    await browser.sign_in(client, await op.user())
    genuine = await op.id_token(browser, client)
    page = await browser.authorize(client, prompt="none", id_token_hint=genuine)
    assert "code" in page.answer
    for name, forged in forgeries(provider, genuine).items():
        page = await browser.authorize(client, prompt="none", id_token_hint=forged)
        assert (name, page.answer["error"]) == (name, "invalid_request")
        page = await browser.get(END_SESSION.path, {"id_token_hint": forged, "state": STATE})
        assert (name, 'id="logout-confirm"' in page.text) == (name, True)
        assert "code" in (await browser.authorize(client, prompt="none")).answer


async def test_no_forged_access_token_opens_anything(provider: Services) -> None:
    """Userinfo answers 401 and introspection `inactive`, whatever the claims."""
    client = await provider.client(access_token_format="jwt", scope=("openid", "email"))
    tokens = await provider.tokens.tokens(client)
    genuine = tokens["access_token"]
    assert (await provider.tokens.userinfo(genuine)).status == 200
    for name, forged in forgeries(provider, genuine).items():
        assert (name, await provider.tokens.introspect(client, forged)) == (name, {"active": False})
        if name == "a trailing space":  # no part of a header's value: RFC 9110 §5.5
            continue
        response = await provider.tokens.userinfo(forged)
        assert (name, response.status) == (name, 401)
        assert "sub" not in await response.json()


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "token-introspection+jwt", "secevent+jwt", "x"])
async def test_our_own_signature_under_another_type_opens_nothing(provider: Services, typ: str) -> None:
    """RFC 8725 §3.11: JWTs of other types are not access tokens."""
    client = await provider.client(access_token_format="jwt")
    genuine = (await provider.tokens.tokens(client))["access_token"]
    claims = json.loads(from_base64url(genuine.split(".")[1]))
    token = sign(provider.op.app[KEYRING].known.signer("ES256", clock.now()), claims, typ)
    assert (await provider.tokens.userinfo(token)).status == 401
    assert await provider.tokens.introspect(client, token) == {"active": False}
