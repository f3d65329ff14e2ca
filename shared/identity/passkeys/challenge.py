"""Challenges of passkey ceremonies, bound to one ceremony and one browser, and stored nowhere. Pure."""

import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Ceremony = Literal["create", "conditional create", "get"]
"""A new passkey, one that the browser makes by itself after a sign-in with a password, or a sign-in."""

LIFETIME = timedelta(minutes=5)
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Challenges:
    """Makes and recognizes challenges with the deployment's *secret_key*.

    A challenge is the millisecond in which it was made, and a MAC of that and its binding. Nobody can predict
    it without the key (WebAuthn Level 3 §13.4.3). `binding`: handles that only this browser has.
    """

    secret_key: str = field(repr=False)

    def new(self, ceremony: Ceremony, binding: tuple[str, ...], now: datetime) -> bytes:
        """A challenge of 40 bytes."""
        made = int(now.timestamp() * 1000).to_bytes(_TIME_BYTES, "big")
        return made + self._mac(ceremony, binding, made)

    def made_at(
        self, challenge: bytes, ceremony: Ceremony, binding: tuple[str, ...], now: datetime
    ) -> datetime | None:
        """When the challenge was made. None: not for this ceremony and binding, or not within LIFETIME."""
        made, mac = challenge[:_TIME_BYTES], challenge[_TIME_BYTES:]
        if not hmac.compare_digest(mac, self._mac(ceremony, binding, made)):
            return None
        made_at = datetime.fromtimestamp(int.from_bytes(made, "big") / 1000, UTC)
        return made_at if now - LIFETIME <= made_at else None

    def _mac(self, ceremony: Ceremony, binding: tuple[str, ...], made: bytes) -> bytes:
        parts = ("ostiary: passkey challenge, version 1", ceremony, *binding)
        return hmac.digest(self.secret_key.encode(), "\0".join(parts).encode() + b"\0" + made, "sha256")
