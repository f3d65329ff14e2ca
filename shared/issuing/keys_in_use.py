"""The keys that issue tokens now."""

from datetime import datetime

from shared.oauth.tokens.keys import KeySet, NoKey, SealingKey, SigningKey
from shared.store import Unavailable

ACCESS_TOKEN_ALGORITHM = "ES256"  # RS256, which always exists, if the deployment has no such key
FALLBACK_ALGORITHM = "RS256"


def signer(keys: KeySet, alg: str, now: datetime) -> SigningKey:
    """The key that signs with *alg* now. Raises Unavailable."""
    try:
        return keys.signer(alg, now)
    except NoKey:
        raise Unavailable(f"no key signs with {alg}") from None


def access_token_signer(keys: KeySet, alg: str | None, now: datetime) -> SigningKey:
    """The key that signs access tokens now, with *alg* if their audience demands it. Raises Unavailable."""
    if alg is not None:
        return signer(keys, alg, now)
    try:
        return keys.signer(ACCESS_TOKEN_ALGORITHM, now)
    except NoKey:
        return signer(keys, FALLBACK_ALGORITHM, now)


def sealer(keys: KeySet, now: datetime) -> SealingKey:
    """The key that seals opaque access tokens now. Raises Unavailable."""
    try:
        return keys.sealer(now)
    except NoKey:
        raise Unavailable("no key seals access tokens") from None
