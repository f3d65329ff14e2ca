"""The public keys of a client: validation, and choosing a key to verify with."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.codec.base64url import base64url
from shared.oauth.client.jwks import (
    BadKey,
    can_verify,
    jwks_faults,
    keys_for,
    public_key,
    readable,
    verify_with,
)
from shared.oauth.tokens.jwt import BadJwt
from shared.oauth.tokens.keys import PrivateKey, public_jwk
from tests.planted import planted
from tests.planted.oauth import no_key_is_ignored

P256, OTHER_P256 = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
P384, P521 = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP521R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[PrivateKey, tuple[str, ...]] = {
    RSA: ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    P256: ("ES256",),
    P384: ("ES384",),
    P521: ("ES512",),
    ED25519: ("EdDSA", "Ed25519"),
}
ALGORITHMS = [alg for algorithms in KEYS.values() for alg in algorithms]


def _jwk(key: PrivateKey = P256, /, **members: Any) -> dict[str, Any]:
    return {**public_jwk(key.public_key()), **members}


def _modulus(n: int, e: int = 65537) -> dict[str, str]:
    """An RSA key of a modulus that nobody has factors of."""
    return {
        "kty": "RSA",
        "n": base64url(n.to_bytes(1024, "big").lstrip(b"\0")),
        "e": base64url(e.to_bytes(3, "big")),
    }


def _point(y: int, sign: int = 0) -> dict[str, str]:
    """An Ed25519 key: RFC 8032 §5.1.2."""
    return {"kty": "OKP", "crv": "Ed25519", "x": base64url((y | sign << 255).to_bytes(32, "little"))}


@pytest.mark.parametrize("key", KEYS)
def test_a_public_key_is_what_its_members_say(key: PrivateKey) -> None:
    """RFC 7518 §6, RFC 8037 §2."""
    assert public_key(_jwk(key)) == key.public_key()
    assert public_key(_jwk(key, x5c=["AAAA"], use="enc", key_ops=[])) == key.public_key()


@pytest.mark.parametrize("bits", [2048, 4096])
def test_an_rsa_key_has_2048_to_4096_bits(bits: int) -> None:
    """RFC 7518 §3.3 sets the minimum; the maximum keeps verification cheap."""
    assert public_key(_modulus(1 << bits - 1 | 1))


UNKNOWN = {
    "X25519": {"kty": "OKP", "crv": "X25519", "x": "AQ"},
    "Ed448": {"kty": "OKP", "crv": "Ed448", "x": "AQ"},
    "secp256k1": {"kty": "EC", "crv": "secp256k1", "x": "AQ", "y": "AQ"},
    "post-quantum": {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQ"},
    "use: tls": _jwk(use="tls", kid="tls"),
    "an algorithm to come": _jwk(alg="ESP256", use="sig"),
    "encryption": _jwk(RSA, alg="RSA-OAEP"),
}

FIELD = 2**255 - 19
ORDER_8 = 2707385501144840649318225287225658788936804267575313519463743609750303402022
BASE = 4 * pow(5, -1, FIELD) % FIELD
SMALL_ORDER = [0, 1, FIELD - 1, ORDER_8, FIELD - ORDER_8]
UNSAFE = "is a point that is not safe to use"
PRIVATE = "holds private members: send the public key only"
UNSUPPORTED = "is of a type or on a curve that is not supported"
BITS = "must have 2048 to 4096 bits"
BAD: list[tuple[str, dict[str, Any]]] = [
    *((UNSAFE, _point(y, sign)) for y in SMALL_ORDER for sign in (0, 1)),
    *((UNSAFE, _point(y)) for y in (FIELD, FIELD + 1, 2**255 - 1)),
    *((BITS, _modulus(n)) for n in (1 << 2046 | 1, 1 << 4096 | 1, 1)),
    *(("must have the exponent 65537", _modulus(1 << 2047 | 1, e)) for e in (1, 3, 65536, 65539)),
    ("has an even modulus", _modulus(1 << 2047)),
    (UNSUPPORTED, {}),
    (UNSUPPORTED, _jwk(kty="oct")),
    (UNSUPPORTED, _jwk(kty={})),
    (UNSUPPORTED, _jwk(crv="secp256k1")),
    (UNSUPPORTED, _jwk(crv=["P-256"])),
    (UNSUPPORTED, _jwk(crv=None)),
    (UNSUPPORTED, _jwk(ED25519, crv="Ed448")),
    (UNSUPPORTED, _jwk(ED25519, crv="P-256")),
    *((f"lacks {name}", _jwk(key, **{name: value}))
      for key, names in ((RSA, "ne"), (P256, "xy"), (ED25519, "x"))
      for name in names for value in ("", None, 7)),
    *((f"has a {name} that is not base64url", _jwk(key, **{name: value}))
      for key, name in ((RSA, "n"), (P256, "x"), (ED25519, "x"))
      for value in ("AQ==", "A=", "=", "A", "A*", "AQAB\n", "AQ+/", "AR", "ü")),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "jwk"), BAD)
def test_a_weak_or_broken_key_is_refused(fault: str, jwk: dict[str, Any]) -> None:
    """The fault is the end of a sentence."""
    with pytest.raises(BadKey) as refused:
        public_key(jwk)
    assert str(refused.value) == fault


@pytest.mark.parametrize("y", [BASE, FIELD - BASE, 3, FIELD - 3])
@pytest.mark.parametrize("sign", [0, 1])
def test_a_point_of_great_order_is_a_key(y: int, sign: int) -> None:
    """RFC 8032 §5.1: the base point and others, on either side."""
    assert public_key(_point(y, sign))


@pytest.mark.parametrize(
    "jwk", [_jwk(y=_jwk()["x"]), _jwk(x="AQ"), _jwk(P384, crv="P-256"), _jwk(ED25519, x="Ag")]
)
def test_a_point_that_is_none_is_refused(jwk: dict[str, Any]) -> None:
    """A point off the curve or of another length is refused, with the library's message, truncated."""
    with pytest.raises(BadKey, match=r"^is not a key: \w.{9,66}$"):
        public_key(jwk)


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_a_private_key_is_refused_wherever_it_is_seen(member: str) -> None:
    """RFC 7518 §6: a private key that was sent to the server is compromised."""
    with pytest.raises(BadKey) as refused:
        public_key(_jwk(**{member: "AQ"}))
    assert str(refused.value) == "holds private members: send the public key only"
    assert readable({"keys": [_jwk(**{member: "AQ"})]}) == {"keys": []}


@pytest.mark.parametrize("key", KEYS)
def test_a_set_of_keys_for_every_purpose_may_be_registered(key: PrivateKey) -> None:
    """With every algorithm that fits, each kid once, and keys for encryption."""
    fitting = [_jwk(key, alg=alg, use="sig", kid=alg) for alg in KEYS[key]]
    others = [_jwk(key), _jwk(key, kid=""), _jwk(key, kid=""), _jwk(key, use="enc", alg="ECDH-ES")]
    assert jwks_faults({"keys": fitting + others}) == []
    assert jwks_faults({"keys": [_jwk(key)] * 20}) == []


@planted(no_key_is_ignored)
@pytest.mark.parametrize("jwk", UNKNOWN.values(), ids=UNKNOWN)
def test_a_key_that_is_not_understood_is_ignored(jwk: dict[str, Any]) -> None:
    """RFC 7517 §5: the other keys of the set serve as if it were not there."""
    assert jwks_faults({"keys": [jwk, _jwk(), jwk]}) == []
    assert keys_for({"keys": [jwk, _jwk()]}, "ES256", None) == [P256.public_key()]
    assert not can_verify({"keys": [jwk]}, ALGORITHMS)
    assert can_verify({"keys": [jwk, _jwk()]}, ALGORITHMS)


NO_SETS: list[dict[str, Any]] = [{}, {"keys": None}, {"keys": []}, {"keys": {}}, {"keys": "x"}]


@pytest.mark.parametrize(
    ("jwks", "faults"),
    [
        *((jwks, {"keys": "must be a list of at least one key"}) for jwks in NO_SETS),
        ({"keys": [_jwk()] * 21}, {"keys": "has more than 20 keys"}),
        ({"keys": ["x", _jwk(), None]}, {"keys.0": "is not an object", "keys.2": "is not an object"}),
        ({"keys": [_jwk(), {}]}, {"keys.1": UNSUPPORTED}),
        ({"keys": [_jwk(), {"kty": "RSA", "use": "tls"}]}, {"keys.1": "lacks n"}),
        ({"keys": [_jwk(), {"kty": "AKP", "priv": "AQ"}]}, {"keys.1": PRIVATE}),
        ({"keys": [_jwk(), {"kty": "oct", "k": "AQ"}]}, {"keys.1": PRIVATE}),
        ({"keys": [_jwk(kid=1)]}, {"keys.0": "has a kid that is not a string"}),
        ({"keys": [_jwk(use=None)]}, {"keys.0": "has a use that is not a string"}),
        ({"keys": [_jwk(alg=None)]}, {"keys.0": "has an alg that is not a string"}),
        ({"keys": [_jwk(alg=["ES256"])]}, {"keys.0": "has an alg that is not a string"}),
        *(
            ({"keys": [_jwk(**members)]}, {"keys.0": "has an alg that does not fit its type"})
            for members in (
                {"alg": "ES384"},
                {"alg": "RS256", "use": "sig"},
                {"alg": "HS256"},
            )
        ),
        (
            {"keys": [_jwk(kid="a"), _jwk(RSA, kid="a"), _jwk(kid="b"), _jwk(kid="a", use="enc")]},
            {"keys.1": "has the kid of another key", "keys.3": "has the kid of another key"},
        ),
    ],
)
def test_each_fault_of_a_set_is_named_with_its_path(jwks: dict[str, Any], faults: dict[str, str]) -> None:
    """Faults of later keys are named, too."""
    assert dict(jwks_faults(jwks)) == faults


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_signature_is_verified_by_the_keys_that_fit_its_algorithm(alg: str) -> None:
    """Keys for another algorithm or use do not verify (RFC 7517 §4.2, §4.4)."""
    jwks = [_jwk(key) for key in KEYS]
    fitting = [key.public_key() for key, algorithms in KEYS.items() if alg in algorithms]
    assert keys_for({"keys": jwks}, alg, None) == fitting
    for members, expected in (
        ({"alg": alg, "use": "sig"}, fitting),
        ({"alg": "x"}, []),
        ({"use": "enc"}, []),
        ({"use": None}, []),
    ):
        assert keys_for({"keys": [{**jwk, **members} for jwk in jwks]}, alg, None) == expected


def test_a_kid_chooses_among_the_keys() -> None:
    """RFC 7515 §4.1.4: if a signature names a kid, other keys are not tried."""
    keys = {"keys": [_jwk(kid="a"), _jwk(OTHER_P256, kid="b"), _jwk(OTHER_P256)]}
    one, two = P256.public_key(), OTHER_P256.public_key()
    assert keys_for(keys, "ES256", None) == [one, two, two]
    assert [keys_for(keys, "ES256", kid) for kid in ("a", "b", "c")] == [[one], [two], []]


@pytest.mark.parametrize("keys", [None, {}, "x", 7, [], ["x", None], [{}], [_jwk(d="AQ")], [_jwk(use="enc")]])
def test_a_set_without_a_key_that_is_fit_verifies_nothing(keys: Any) -> None:
    """A set without a usable key verifies nothing, even if it got past registration."""
    assert keys_for({"keys": keys}, "ES256", None) == keys_for({}, "ES256", None) == []
    fit = [*keys, _jwk()] if isinstance(keys, list) else [_jwk()]
    assert keys_for({"keys": fit}, "ES256", None) == [P256.public_key()]


def test_no_more_than_twenty_keys_are_looked_at() -> None:
    """However many there are."""
    assert len(keys_for({"keys": [_jwk(RSA)] * 19 + [_jwk()] * 3}, "ES256", None)) == 1
    assert readable({"keys": [_jwk(RSA)] * 19 + [_jwk()] * 3}) == {"keys": [_jwk(RSA)] * 19 + [_jwk()]}


def _signed(key: PrivateKey = P256, alg: str = "ES256", kid: str | None = None) -> str:
    return jwt.encode({"sub": "c"}, key, alg, headers={"kid": kid} if kid else None)


@pytest.mark.parametrize(
    ("token", "holds"),
    [
        (_signed(), True),
        (_signed(kid="b"), True),
        (_signed(kid="a"), False),
        (_signed(kid="c"), False),
        (_signed(RSA, "PS384"), True),
        (_signed(P384, "ES384"), False),
        (_signed()[:-4] + "AAAA", False),
    ],
)
def test_whether_a_key_of_the_set_verifies_a_token(token: str, holds: bool) -> None:
    """Every matching key is tried."""
    keys = {"keys": [_jwk(OTHER_P256, kid="a"), _jwk(kid="b"), _jwk(RSA)]}
    if holds:
        assert verify_with(token, keys) == {"sub": "c"}
    else:
        with pytest.raises(BadJwt, match=r"^no key of the client verifies it$"):
            verify_with(token, keys)


@pytest.mark.parametrize("fetched", [None, [], "x", 7, {}, {"keys": None}, {"keys": {}}, {"keys": "x"}])
def test_what_was_fetched_and_is_no_set_is_refused(fetched: object) -> None:
    """A malformed response is refused, whatever it contains."""
    with pytest.raises(BadKey) as refused:
        readable(fetched)
    assert str(refused.value) == "is not a JWK Set"


def test_of_a_fetched_set_only_what_is_used_is_kept() -> None:
    """Only the public members are kept, with a limited length."""
    used = dict.fromkeys(("kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"), "x")
    longest = "A" * 1024
    fetched = [{**used, "x5c": ["A"], "ext": "x"}, {"kid": 1, "n": longest, "x": longest + "A"}, "x", None]
    assert readable({"keys": fetched, "more": 1}) == {"keys": [used, {"n": longest}]}
