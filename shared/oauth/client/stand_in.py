"""A stand-in for an unknown client, so that rejecting its assertion takes as long as verifying one. Pure."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.model import Json
from shared.oauth.client.jwks import RSA_EXPONENT
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.supported import SECRET_ALGORITHMS
from shared.oauth.tokens.jwt import unverified_header
from shared.oauth.tokens.keys import PublicKey, public_jwk


def stand_in(token: str) -> Client:
    """A client whose key or secret fits the header of *token*. Raises BadJwt.

    Anybody can sign as this client, so the caller must reject assertions that it verifies.
    """
    header = unverified_header(token)
    if header.alg in SECRET_ALGORITHMS:
        secret = ClientSecret(hash=bytes(32), value="x" * 64)
        return Client(client_id="", token_endpoint_auth_method="client_secret_jwt", secrets=(secret,))
    keys = [{**jwk, "kid": header.kid} if header.kid else jwk for jwk in _jwks()]
    return Client(client_id="", token_endpoint_auth_method="private_key_jwt", jwks={"keys": keys})


@cache
def _jwks() -> tuple[Json, ...]:
    """A public key of each kind, generated without searching for primes."""
    curves = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
    keys: tuple[PublicKey, ...] = (
        rsa.RSAPublicNumbers(RSA_EXPONENT, 2**2048 - 1).public_key(),
        *(ec.derive_private_key(1, curve).public_key() for curve in curves),
        ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key(),
    )
    return tuple(public_jwk(key) for key in keys)
