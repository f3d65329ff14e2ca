"""The decrypted keys in the memory of a process, and how long it may sign with them."""

import time
from collections.abc import Sequence
from typing import cast

import structlog
from cryptography.hazmat.primitives.serialization import load_der_private_key

from shared.codec.wrapping import unwrap
from shared.live.watch import Watch
from shared.model import Json
from shared.oauth.tokens.keys import KeySet, KeyTimes, PrivateKey, SealingKey, SigningKey
from shared.store import Change, Keys, StoredKey, Unavailable

SIGNS_FOR = 5.0  # seconds without confirmation, after which nothing is signed
SERVES_FOR = 3600.0  # seconds without confirmation, after which the process is not ready
RELOADS_EVERY = 1.0

logger = structlog.get_logger()


def _times(row: StoredKey) -> KeyTimes:
    return KeyTimes(
        published_at=row.published_at,
        activates_at=row.activates_at,
        retires_at=row.retires_at,
        is_compromised=row.is_compromised,
    )


def _private(row: StoredKey, secret_keys: Sequence[str]) -> PrivateKey | None:
    if not row.private:
        return None
    plain = unwrap(secret_keys, row.kid, row.private)
    # Checking an RSA key takes 50 ms. AES-GCM has authenticated the key, so it is the one that was stored.
    return cast(PrivateKey, load_der_private_key(plain, None, unsafe_skip_rsa_key_validation=True))


def open_keys(
    rows: Sequence[StoredKey], secret_keys: Sequence[str], signs_with: tuple[str, ...] | None = None
) -> KeySet:
    """The stored keys, decrypted; those for *signs_with* may sign. Raises CannotUnwrap."""
    return KeySet(
        signing=tuple(
            SigningKey(
                kid=row.kid,
                alg=row.alg,
                times=_times(row),
                private=_private(row, secret_keys),
                jwk=cast(Json, row.public_jwk),
            )
            for row in rows
            if row.use == "sig"
        ),
        sealing=tuple(
            SealingKey(kid=row.kid, times=_times(row), secret=unwrap(secret_keys, row.kid, row.private))
            for row in rows
            if row.use == "seal" and row.private
        ),
        salt=next((unwrap(secret_keys, row.kid, row.private) for row in rows if row.use == "salt"), None),
        signs_with=signs_with,
    )


class KeyRing:
    """The current KeySet, reloaded when the change counter changes."""

    def __init__(
        self,
        keys: Keys,
        watch: Watch,
        secret_keys: Sequence[str],
        signs_with: tuple[str, ...] | None = None,
    ) -> None:
        self._keys = keys
        self._watch = watch
        self._secret_keys = secret_keys
        self._signs_with = signs_with
        self._known = KeySet()
        self._reloaded_at = float("-inf")
        watch.add(self)

    async def changed(self, change: Change) -> None:
        if change.has_keys or not self._known.signing:
            self._known = open_keys(await self._keys.load(), self._secret_keys, self._signs_with)
            logger.info("keys_loaded", kids=[key.kid for key in self._known.signing])

    @property
    def known(self) -> KeySet:
        """The last known keys, however old; for publishing and verifying."""
        return self._known

    @property
    def is_ready(self) -> bool:
        return bool(self._known.signing)

    def fault(self) -> str | None:
        """Why this process should not serve keys. None: it may.

        While PostgreSQL is down nobody changes the keys, and the next ones are already published. A process
        that is cut off alone must not serve old keys forever.
        """
        if not self.is_ready:
            return "no key set has been loaded"
        return self._watch.silence(SERVES_FOR)

    def confirmed(self) -> KeySet:
        """The keys for signing and sealing. Raises Unavailable if they were not confirmed recently."""
        if self._watch.age > SIGNS_FOR or not self._known.signing:
            raise Unavailable("the key set was not confirmed lately: nothing is signed")
        return self._known

    async def reload(self) -> KeySet:
        """Reload the keys for a token with an unknown key, at most once a second. Raises Unavailable."""
        if time.monotonic() - self._reloaded_at >= RELOADS_EVERY:
            await self._watch.ask()
            self._reloaded_at = time.monotonic()
        await self._watch.fresh()
        return self._known
