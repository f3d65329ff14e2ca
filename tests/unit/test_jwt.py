"""JWTs: signing and verification."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.codec.base64url import base64url, from_base64url
from shared.oauth.tokens.jwt import (
    MAX_JWT,
    BadJwt,
    Header,
    is_for,
    sign,
    unverified_header,
    verify,
    verify_with_secret,
)
from shared.oauth.tokens.keys import KeyTimes, PrivateKey, SigningKey, public_jwk

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: Mapping[str, PrivateKey] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA_KEY),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
KEY = KEYS["ES256"]
SECRET = "a secret of sixty-four bytes, which is as long as HS512 wants it"
TIMES = KeyTimes(published_at=datetime(2030, 1, 1, tzinfo=UTC), activates_at=None, retires_at=None)


def _key(alg: str) -> SigningKey:
    private = KEYS[alg]
    return SigningKey(kid="k1", alg=alg, times=TIMES, private=private, jwk=public_jwk(private.public_key()))


def _token(header: object, payload: object = None) -> str:
    """An unsigned JWT with these parts; bytes are used as they are."""
    parts = (part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload))
    return ".".join((*map(base64url, parts), ""))


def _signed(payload: bytes, key: Any = KEY, alg: str = "ES256") -> str:
    return jwt.api_jws.encode(payload, key, alg)


@pytest.mark.parametrize("alg", KEYS)
def test_what_is_signed_is_read_by_others_and_by_us(alg: str) -> None:
    """Every algorithm works, with the key's kid (RFC 7515 §7.1) and the type (RFC 8725 §3.11)."""
    claims, public = {"sub": "ü", "n": [1, None]}, KEYS[alg].public_key()
    token = sign(_key(alg), claims)
    assert jwt.decode(token, public, algorithms=[alg]) == claims
    assert verify(token, public, alg) == claims
    assert json.loads(from_base64url(token.split(".")[0])) == {"alg": alg, "kid": "k1", "typ": "JWT"}
    assert unverified_header(sign(_key(alg), claims, "at+jwt")) == Header(alg, "k1", "at+jwt")


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_secret_verifies_what_it_signed(alg: str) -> None:
    """OpenID Connect Core 1.0 §10.1: the key is the secret's UTF-8 bytes."""
    secret = f"{SECRET}, ünd more"
    assert verify_with_secret(jwt.encode({"sub": "c"}, secret, alg), secret, alg) == {"sub": "c"}
    with pytest.raises(BadJwt):
        verify_with_secret(jwt.encode({"sub": "c"}, SECRET, alg), secret, alg)


def test_keys_and_secrets_are_not_confused() -> None:
    """RFC 8725 §2.1, §3.1: keys, secrets and `none` are never confused."""
    public = KEY.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for alg in ("none", "HS256", "nonsense"):
        with pytest.raises(BadJwt):
            verify(_token({"alg": alg}, {}), public, alg)
    for token in (sign(_key("ES256"), {}), _token({"alg": "none"}, {}), _token({"alg": "nonsense"}, {})):
        with pytest.raises(BadJwt):
            verify_with_secret(token, pem, unverified_header(token).alg)
    with pytest.raises(BadJwt):
        verify(sign(_key("ES384"), {}), public, "ES384")


@pytest.mark.parametrize(
    "verify_it", [lambda token: verify(token, KEY.public_key(), "ES384"),
                  lambda token: verify_with_secret(token, SECRET, "ES384")], ids=["key", "secret"]
)  # fmt: skip
def test_the_header_chooses_nothing(verify_it: Callable[[str], object]) -> None:
    """RFC 8725 §3.1: the algorithm in the header is compared, never trusted."""
    with pytest.raises(BadJwt, match=r"^signed with ES256, where ES384 is wanted$"):
        verify_it(sign(_key("ES256"), {}))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_nothing_may_be_changed_after_the_signature(part: int) -> None:
    """A change of any character in any part is detected."""
    parts = sign(_key("ES256"), {"sub": "u"}).split(".")
    parts[part] = parts[part][:-8] + parts[part][-8:][::-1]
    with pytest.raises(BadJwt) as refused:
        verify(".".join(parts), KEY.public_key(), "ES256")
    assert str(refused.value) not in ("", "None")


@pytest.mark.parametrize(
    "token",
    [
        *("", "a.b", "a.b.c.d", "a.b.c.d.e", ".b.c", "a b.c.d", " a.b.c", "a.b.c\n", "a.b=.c", "a.b+.c"),
        *("ä.b.c", "a.b.c.", '{"payload": "x"}'),
    ],
)
def test_what_is_no_compact_jws_is_refused(token: str) -> None:
    """RFC 7515 §7.1: exactly three parts of strict base64url."""
    with pytest.raises(BadJwt, match=r"^not a compact JWS$"):
        unverified_header(token)


def test_a_jwt_has_a_greatest_length() -> None:
    """JWTs above 16 KiB are refused before parsing."""
    header = base64url(b'{"alg":"ES256"}')
    longest = f"{header}..{'A' * (16 * 1024 - len(header) - 2)}"
    assert (len(longest), unverified_header(longest).alg) == (MAX_JWT, "ES256")
    with pytest.raises(BadJwt, match=r"^not a compact JWS$"):
        unverified_header(longest + "A")


@pytest.mark.parametrize(
    "header", [b"", b"x", b"\xff", b"[]", b"null", b'"x"', b'{"alg"}', b"{}", b"[" * 9000]
)
def test_a_header_that_is_no_object_with_an_algorithm_is_refused(header: bytes) -> None:
    """RFC 7515 §4.1.1: the fault has a reason for the log."""
    with pytest.raises(BadJwt) as refused:
        unverified_header(_token(header or b" "))
    assert str(refused.value) not in ("", "None")


@pytest.mark.parametrize(
    "more",
    [
        *({"crit": value} for value in (["exp"], ["b64"], [], None, "b64", [1])),
        *({name: value} for name in ("b64", "zip") for value in (True, False, None, "DEF")),
        {"crit": ["b64"], "b64": True},
        {"crit": ["b64"], "b64": False},
    ],
)
def test_a_header_that_asks_for_more_than_we_do_is_refused(more: dict[str, Any]) -> None:
    """RFC 7515 §4.1.11, RFC 7797 §6, RFC 7516 §4.1.3: unsupported extensions are refused."""
    with pytest.raises(BadJwt) as refused:
        unverified_header(_token({"alg": "ES256", **more}))
    if "zip" in more:
        assert str(refused.value) == "a header parameter that is not understood"


@pytest.mark.parametrize(
    "header", [{"alg": 1}, {"alg": None}, {"alg": "ES256", "typ": 1}, {"alg": "ES256", "typ": ["JWT"]}]
)
def test_a_header_parameter_is_a_string(header: dict[str, Any]) -> None:
    """RFC 7515 §4.1."""
    with pytest.raises(BadJwt, match=r"^a header parameter of a wrong type$"):
        unverified_header(_token(header))


def test_a_header_may_leave_out_the_key_and_the_type() -> None:
    """RFC 7515 §4.1.4 and §4.1.9."""
    assert unverified_header(_token({"alg": "ES256"})) == Header("ES256", None, None)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"sub": "a", "sub": "b"}', "^a member is repeated$"),
        (b'{"x": {"sub": 1, "sub": 1}}', "^a member is repeated$"),
        (b'{"exp": NaN}', "^NaN is not JSON$"),
        (b'{"exp": -Infinity}', "^-Infinity is not JSON$"),
        (b"[]", "^it is not a JSON object$"),
        (b'"x"', "^it is not a JSON object$"),
        (b"null", "^it is not a JSON object$"),
        (b"{", "."),
        (b"", "."),
        (b'{"sub": "\xff"}', "."),
        (b'{"a":' * 2000, "."),
        (b'{"exp": ' + b"9" * 5000 + b"}", "."),
    ],
)
def test_a_signature_makes_no_sense_of_nonsense(payload: bytes, reason: str) -> None:
    """RFC 8725 §2.4: ambiguous JSON is refused, even if it is signed."""
    with pytest.raises(BadJwt, match=reason) as refused:
        verify(_signed(payload), KEY.public_key(), "ES256")
    assert str(refused.value) != "None"


@pytest.mark.parametrize(
    ("aud", "expected"),
    [
        ("us", True),
        (["us"], True),
        (["others", "us"], True),
        ("others", False),
        ("us and others", False),
        (["others"], False),
        ([], False),
        ({"us": 1}, False),
        (None, False),
    ],
)
def test_whom_a_token_is_for(aud: object, expected: bool) -> None:
    """RFC 7519 §4.1.3: a string, or a list of them."""
    assert is_for({"aud": aud}, "us") is expected
    assert not is_for({}, "us")
