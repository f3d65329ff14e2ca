"""Issuing tokens: with the client's algorithm and confirmed keys, or not at all."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.config.settings import Settings
from shared.issuing.tokens import TokenIssuer
from shared.live.keyring import KeyRing
from shared.model import Authentication, Authorization, User
from shared.oauth.client.record import Client
from shared.oauth.sender.sender import UNBOUND, Certificate, DpopKey, Sender
from shared.oauth.tokens.id_token import left_half_hash
from shared.oauth.tokens.keys import KeySet, KeyTimes, PrivateKey, SealingKey, SigningKey, public_jwk
from shared.store import Unavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TIMES = KeyTimes(published_at=NOW, activates_at=NOW, retires_at=None)
KEYS: dict[str, PrivateKey] = {
    "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
SEALING = SealingKey(kid="00000001", times=TIMES, secret=b"k" * 32)
USER = User(user_id=UUID(int=1), username="ada")
AUTHORIZATION = Authorization(
    client_id="c",
    user_id=USER.user_id,
    sid=UUID(int=2),
    scope=("openid",),
    authentication=Authentication(auth_time=NOW - timedelta(hours=1), acr="pwd", amr=("pwd",)),
)


class _KeyRing:
    """A key ring whose keys are confirmed or not."""

    def __init__(self, keys: KeySet | None) -> None:
        self._keys = keys
        self.known = keys or KeySet()

    def confirmed(self) -> KeySet:
        if self._keys is None:
            raise Unavailable("not confirmed")
        return self._keys


def _issuer(*algorithms: str, sealing: tuple[SealingKey, ...] = (SEALING,)) -> TokenIssuer:
    signing = tuple(
        SigningKey(kid=alg, alg=alg, times=TIMES, private=KEYS[alg], jwk=public_jwk(KEYS[alg].public_key()))
        for alg in algorithms
    )
    return TokenIssuer(Settings(), cast(KeyRing, _KeyRing(KeySet(signing, sealing))))


@pytest.mark.parametrize("alg", KEYS)
def test_an_id_token_is_signed_as_registered(alg: str) -> None:
    """OpenID Connect Core 1.0 §2: the registered algorithm, a kid, and an at_hash of its hash."""
    client = Client(client_id="c", id_token_signed_response_alg=alg)
    token = _issuer(*KEYS).id_token(
        client, AUTHORIZATION, USER, NOW, access_token="at", recipient=None, nonce=None
    )
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"], header["typ"]) == (alg, alg, "JWT")
    claims = jwt.decode(token, KEYS[alg].public_key(), [alg], audience="c", options={"verify_exp": False})
    assert "nonce" not in claims
    assert claims["aud"] == ["c"]
    digest = hashlib.sha512 if alg == "EdDSA" else hashlib.sha256
    half = digest(b"at").digest()[: digest().digest_size // 2]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("sender", "token_type"), [(UNBOUND, "Bearer"), (DpopKey("k"), "DPoP"), (Certificate("c"), "Bearer")]
)
def test_the_token_type_is_the_senders(sender: Sender, token_type: str) -> None:
    """RFC 6750 §4, RFC 9449 §5, RFC 8705 §3."""
    client = Client(client_id="c")
    token = _issuer("RS256", "ES256").access_token(client, "c", (), None, NOW, sender=sender)
    assert token.token_type == token_type


def test_the_example_of_the_specification_holds() -> None:
    """OpenID Connect Core 1.0, appendix A.4: the at_hash of its access token."""
    assert left_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "RS256") == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize(("algorithms", "alg"), [(("RS256", "ES256"), "ES256"), (("RS256",), "RS256")])
def test_a_jwt_access_token_is_signed_with_the_cheaper_key(algorithms: tuple[str, ...], alg: str) -> None:
    """JWT access tokens use ES256 if the deployment has such a key, otherwise RS256."""
    client = Client(client_id="c", access_token_format="jwt")
    token = _issuer(*algorithms).access_token(client, "c", (), None, NOW, sender=UNBOUND)
    assert jwt.get_unverified_header(token.value)["alg"] == alg


def test_without_keys_nothing_is_made() -> None:
    """Without confirmed keys or without the algorithm's key, a process answers 503."""
    client = Client(client_id="c", id_token_signed_response_alg="EdDSA")
    unconfirmed = TokenIssuer(Settings(), cast(KeyRing, _KeyRing(None)))
    for issuer in (unconfirmed, _issuer("RS256"), _issuer("EdDSA", sealing=())):
        with pytest.raises(Unavailable):
            issuer.check(client, ("openid",), UNBOUND, NOW)
    with pytest.raises(Unavailable):
        unconfirmed.access_token(client, "c", (), None, NOW, sender=UNBOUND)
    with pytest.raises(Unavailable):
        _issuer("RS256").id_token(
            client, AUTHORIZATION, USER, NOW, access_token="at", recipient=None, nonce=None
        )


def test_a_clients_lifetimes_win() -> None:
    """`access_token_lifetime` and `id_token_lifetime` of its record."""
    client = Client(
        client_id="c", access_token_lifetime=timedelta(minutes=1), id_token_lifetime=timedelta(minutes=2)
    )
    issuer = _issuer("RS256")
    assert issuer.access_token(client, "c", (), None, NOW, sender=UNBOUND).expires_in == 60
    token = _id_token(issuer, client, nonce="n")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 120


def _id_token(issuer: TokenIssuer, client: Client, nonce: str | None = None) -> str:
    return issuer.id_token(client, AUTHORIZATION, USER, NOW, access_token="at", recipient=None, nonce=nonce)
