"""Keys of the authorization server: which one signs now, which are published, and which still verify.

There is always a `next` key for each algorithm. A process switches keys by the clock, from memory.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from shared.codec.base64url import base64url
from shared.model import Json

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey

RSA_BITS = 2048


def _number(value: int, size: int | None = None) -> str:
    return base64url(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def public_jwk(key: PublicKey) -> dict[str, str]:
    """The members that RFC 7638 hashes: RFC 7518 §6, RFC 8037 §2."""
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {"e": _number(numbers.e), "kty": "RSA", "n": _number(numbers.n)}
        case ec.EllipticCurvePublicKey():
            point, size = key.public_numbers(), (key.curve.key_size + 7) // 8
            curve = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[key.curve.name]
            return {"crv": curve, "kty": "EC", "x": _number(point.x, size), "y": _number(point.y, size)}
        case ed25519.Ed25519PublicKey():
            return {"crv": "Ed25519", "kty": "OKP", "x": base64url(key.public_bytes_raw())}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """The JWK thumbprint (RFC 7638 §3) of the members from `public_jwk`."""
    canonical = json.dumps(dict(jwk), sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(canonical.encode()).digest())


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTimes:
    """When a key is published and used."""

    published_at: datetime
    activates_at: datetime | None  # None for the `next` key, which has no date yet
    retires_at: datetime | None  # when the last token signed with it has expired
    is_compromised: bool = False

    def is_active_by(self, now: datetime) -> bool:
        return self.activates_at is not None and self.activates_at <= now and not self.is_compromised

    def is_shown(self, now: datetime) -> bool:
        """Whether tokens signed with it may still be valid, or soon will be."""
        return not self.is_compromised and (self.retires_at is None or now < self.retires_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A key pair that signs tokens. `jwk` is the public half as published in the JWK Set."""

    kid: str
    alg: str
    times: KeyTimes
    private: PrivateKey | None = field(repr=False)  # None after the key has retired
    jwk: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """A key for opaque access tokens: 32 bytes. The kid is eight hexadecimal digits."""

    kid: str
    times: KeyTimes
    secret: bytes = field(repr=False)


class NoKey(Exception):
    """There is no active key for this algorithm."""


Key = TypeVar("Key", SigningKey, SealingKey)


def _by_activation(keys: Iterable[Key]) -> tuple[Key, ...]:
    """The keys that are or will be activated, the latest first."""
    dated = [(key.times.activates_at, key) for key in keys if key.times.activates_at is not None]
    return tuple(key for _, key in sorted(dated, key=lambda pair: pair[0], reverse=True))


def _by_kid(keys: Iterable[Key]) -> Mapping[str, Key]:
    """The keys that are not compromised, by kid."""
    return {key.kid: key for key in keys if not key.times.is_compromised}


def _active(keys: Iterable[Key], now: datetime) -> Key | None:
    """The active key, of keys in the order of `_by_activation`. Times are compared at use, never swept."""
    for key in keys:
        if key.times.is_active_by(now):
            return key
    return None


@dataclass(frozen=True)
class KeySet:
    """All keys that a process has."""

    signing: tuple[SigningKey, ...] = ()
    sealing: tuple[SealingKey, ...] = ()
    salt: bytes | None = field(default=None, repr=False)  # for pairwise subject identifiers
    signs_with: tuple[str, ...] | None = None  # the configured algorithms; None: all

    @cached_property
    def _signers(self) -> Mapping[str, tuple[SigningKey, ...]]:
        algorithms = {key.alg for key in self.signing}
        if self.signs_with is not None:
            algorithms &= set(self.signs_with)
        return {alg: _by_activation(key for key in self.signing if key.alg == alg) for alg in algorithms}

    @cached_property
    def _sealers(self) -> tuple[SealingKey, ...]:
        return _by_activation(self.sealing)

    @cached_property
    def _verifiers(self) -> Mapping[str, SigningKey]:
        return _by_kid(self.signing)

    @cached_property
    def _unsealers(self) -> Mapping[str, SealingKey]:
        return _by_kid(self.sealing)

    def signer(self, alg: str, now: datetime) -> SigningKey:
        """The key that signs with *alg* now. Raises NoKey."""
        if key := _active(self._signers.get(alg, ()), now):
            return key
        raise NoKey(alg)

    def sealer(self, now: datetime) -> SealingKey:
        """The key that seals access tokens now. Raises NoKey."""
        if key := _active(self._sealers, now):
            return key
        raise NoKey("sealing")

    def verifier(self, kid: str) -> SigningKey | None:
        """The key with this kid, even if retired (an id_token_hint may be old), but never if compromised."""
        return self._verifiers.get(kid)

    def unsealer(self, kid: str) -> SealingKey | None:
        return self._unsealers.get(kid)

    def jwks(self, now: datetime) -> dict[str, list[Json]]:
        """The JWK Set (RFC 7517 §5): public halves of keys that sign, signed recently, or will sign soon."""
        return {"keys": [key.jwk for key in self.signing if key.times.is_shown(now)]}

    def algorithms(self, now: datetime) -> tuple[str, ...]:
        """The algorithms that this deployment signs with."""
        return tuple(sorted(alg for alg, keys in self._signers.items() if _active(keys, now)))
