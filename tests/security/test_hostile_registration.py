"""Hostile metadata: URIs for browsers, URIs to fetch, and keys to trust."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.codec.base64url import base64url
from shared.oauth.tokens.keys import public_jwk
from tests.security.conftest import Registration
from tests.service.test_client_authentication import SMALL_ORDER

GOOD = "https://rp.test/cb"
REFUSED = ("invalid_redirect_uri", "invalid_client_metadata")

BAD_REDIRECT_URIS: dict[str, Any] = {
    "javascript": ["javascript:alert(1)"],
    "data": ["data:text/html,hello"],
    "vbscript": ["vbscript:x"],
    "file": ["file:///etc/passwd"],
    "upper case javascript": ["JavaScript:alert(1)"],
    "http": ["http://rp.test/cb"],
    "http that looks like loopback": ["http://localhost.evil.test/cb"],
    "http with loopback as user": ["http://127.0.0.1@evil.test/cb"],
    "user": ["https://a@rp.test/cb"],
    "fragment": ["https://rp.test/cb#x"],
    "empty fragment": ["https://rp.test/cb#"],
    "wildcard host": ["https://*.rp.test/cb"],
    "wildcard path": ["https://rp.test/*"],
    "relative": ["/cb"],
    "without scheme": ["//rp.test/cb"],
    "one slash": ["https:/rp.test/cb"],
    "backslash": ["https://rp.test\\@evil.test/cb"],
    "dot segment": ["https://rp.test/x/../cb"],
    "encoded dot segment": ["https://rp.test/x/%2e%2e/cb"],
    "space": ["https://rp.test/c b"],
    "line break": ["https://rp.test/cb\r\nX: y"],
    "encoded line break": ["https://rp.test/cb%0d%0aX: y"],
    "letters beyond ASCII": ["https://rр1.test/cb"],
    "a code in it": [f"{GOOD}?code=X"],
    "a state in it": [f"{GOOD}?a=b&state=X"],
    "an iss in it": [f"{GOOD}?iss=https://evil.test"],
    "an encoded name in it": [f"{GOOD}?%63ode=X"],
    "a response in it": [f"{GOOD}?response=X"],
    "too long": [f"{GOOD}?{'x' * 4000}"],
    "one bad among good": [GOOD, "javascript:alert(1)"],
    "empty list": [],
    "null": None,
    "a string": GOOD,
    "an object": {"0": GOOD},
    "nested": [[GOOD]],
    "with a hole": [GOOD, None],
    "a number": [1],
    "too many": [f"{GOOD}/{n}" for n in range(2000)],
}


@pytest.mark.point(19)
@pytest.mark.parametrize("uris", BAD_REDIRECT_URIS.values(), ids=BAD_REDIRECT_URIS.keys())
@pytest.mark.parametrize("application_type", ["web", "native"])
async def test_a_bad_redirect_uri_is_not_registered(
    registration: Registration, application_type: str, uris: Any
) -> None:
    """RFC 7591 §5: hostile URIs are refused at registration, for every kind of client."""
    members = {"redirect_uris": uris, "application_type": application_type}
    status, answer = await registration.post(members)
    assert (status, answer["error"] in REFUSED) == (400, True)


@pytest.mark.point(19)
@pytest.mark.parametrize(
    "uri",
    ["javascript:alert(1)", "http://rp.test/", "https://x@rp.test/", "//rp.test/", "https://*.rp.test/"],
)
@pytest.mark.parametrize(
    "member",
    [
        "post_logout_redirect_uris",
        "request_uris",
        "initiate_login_uri",
        "logo_uri",
        "client_uri",
        "policy_uri",
        "tos_uri",
        "jwks_uri",
        "sector_identifier_uri",
    ],
)
async def test_no_other_uri_leads_astray_either(registration: Registration, member: str, uri: str) -> None:
    """URIs must be https and unambiguous."""
    value = [uri] if member.endswith("uris") else uri
    status, answer = await registration.post({"redirect_uris": [GOOD], member: value})
    assert (status, answer["error"]) == (400, "invalid_client_metadata")


INSIDE = [
    "https://127.0.0.1/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://0177.0.0.1/x",
    "https://127.0.0.1./x",
    "https://0.0.0.0/x",
    "https://[::1]/x",
    "https://[::]/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://[64:ff9b::7f00:1]/x",
    "https://[fd00:ec2::254]/x",
    "https://[fe80::1]/x",
    "https://10.0.0.1/x",
    "https://172.16.0.1/x",
    "https://192.168.0.1/x",
    "https://100.64.0.1/x",
    "https://169.254.169.254/latest/meta-data",
    "https://rp.test:6379/x",
    "https://rp.test:5432/x",
    "https://user@rp.test/x",
    "https://rp.test/%0d%0aX:y",
    "https://rp.test%0d%0a/x",
    "file:///etc/passwd",
    "gopher://rp.test/x",
    "redis://rp.test/x",
    "unix:/run/x",
    "http://rp.test/x",
]


@pytest.mark.parametrize("uri", INSIDE)
async def test_keys_are_never_registered_inside(registration: Registration, uri: str) -> None:
    """`jwks_uri`, which the token endpoint fetches, must be public, https, and on an ordinary port."""
    status, answer = await registration.post({"redirect_uris": [GOOD], "jwks_uri": uri})
    assert (status, answer["error"]) == (400, "invalid_client_metadata")


def _rsa(bits: int) -> dict[str, str]:
    return public_jwk(rsa.generate_private_key(65537, bits).public_key())


EC = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
BAD_KEYS: dict[str, dict[str, Any]] = {
    "RSA of 1024 bits": {
        "kty": "RSA",
        "n": base64url((2**1023 + 1).to_bytes(128, "big")),
        "e": "AQAB",
    },
    "RSA with the exponent 1": {**_rsa(2048), "e": "AQ"},
    "RSA with an even exponent": {**_rsa(2048), "e": "Ag"},
    "RSA of 16384 bits": {"kty": "RSA", "n": base64url((2**16383 + 1).to_bytes(2048, "big")), "e": "AQAB"},
    "a point off its curve": {**EC, "y": base64url(bytes(31) + b"\1")},
    "a coordinate too short": {**EC, "x": "AA"},
    "ES384 on P-256": {**EC, "alg": "ES384"},
    **{
        f"Ed25519's small order {point[:8]}{point[-2:]}": {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64url(bytes.fromhex(point)),
        }
        for point in SMALL_ORDER
    },
    "a point that is none": {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url(bytes(32)),
        "y": base64url(bytes(32)),
    },
    "a coordinate of many bytes": {**EC, "x": "A" * 20_000},
    "an even modulus": {**_rsa(2048), "n": base64url((2**2047).to_bytes(256, "big"))},
    "an exponent of many bytes": {**_rsa(2048), "e": "A" * 2000},
    "a list as kty": {"kty": ["RSA"]},
    "a curve for agreement": {"kty": "OKP", "crv": "X25519", "x": base64url(bytes(32))},
    "secp256k1": {**EC, "crv": "secp256k1"},
    "RSA and one private prime": {**_rsa(2048), "p": "AAAA"},
    "a kid that is no string": {**EC, "kid": 7},
    "a use that is none": {**EC, "use": ["sig"]},
    "a symmetric key": {"kty": "oct", "k": base64url(bytes(32))},
    "a private key": {**EC, "d": base64url(bytes(31) + b"\1")},
    "no kty": {"crv": "P-256"},
    "an unknown kty": {"kty": "XYZ"},
    "numbers": {"kty": "RSA", "n": 7, "e": 3},
}


@pytest.mark.parametrize("key", BAD_KEYS.values(), ids=BAD_KEYS.keys())
async def test_a_weak_or_odd_key_is_not_registered(registration: Registration, key: dict[str, Any]) -> None:
    """RFC 8725 §3.5: weak keys are refused at registration."""
    members = {"redirect_uris": [GOOD], "token_endpoint_auth_method": "private_key_jwt"}
    status, answer = await registration.post({**members, "jwks": {"keys": [key]}})
    assert (status, answer["error"]) == (400, "invalid_client_metadata")
    status, _ = await registration.post({**members, "jwks": {"keys": [EC]}})
    assert status == 201


async def test_a_stranger_gives_himself_no_privilege(registration: Registration) -> None:
    """Members for operators are ignored or refused, and never shown as granted."""
    privileges = {
        "skip_consent": True,
        "require_pkce": False,
        "audience": ["https://files.test"],
        "resource_identifiers": ["https://files.test"],
        "id_token_claims": ["email"],
        "claims_mapping": {"sub": "name"},
        "profile": "cells-legacy",
        "access_token_lifetime": 86_400_000,
        "grant_types": ["authorization_code", "client_credentials"],
        "client_id": "demo",
        "client_secret": "chosen",
    }
    plain = await registration.post({"redirect_uris": [GOOD]})
    for name, value in privileges.items():
        status, answer = await registration.post({"redirect_uris": [GOOD], name: value})
        if status == 400:
            assert answer["error"] == "invalid_client_metadata"
            continue
        assert status == 201
        assert answer.get(name) == plain[1].get(name) or name in ("client_id", "client_secret")
        assert answer["client_id"] != "demo"
        assert answer["client_secret"] != "chosen"
