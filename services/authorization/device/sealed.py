"""What a first factor has proven, carried by a form that only the same browser can send back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from services.authorization.authentication.proven import Proven
from shared.codec.wrapping import NONCE_BYTES, CannotUnwrap, unwrap, wrap
from shared.live.randomness import new_nonce

MAX_AGE = timedelta(minutes=10)
MAX_SEALED = 4096  # characters

_PROVEN = TypeAdapter(Proven)


def seal(secret_key: str, proven: Proven, purpose: str) -> str:
    """*proven*, encrypted for one *purpose*, which names the browser."""
    return wrap(secret_key, new_nonce(NONCE_BYTES), purpose, _PROVEN.dump_json(proven)).hex()


def unseal(secret_keys: Sequence[str], sealed: str | None, purpose: str, now: datetime) -> Proven | None:
    """None: it was sealed for another purpose, more than MAX_AGE ago, or not by this server."""
    if not sealed or len(sealed) > MAX_SEALED:
        return None
    try:
        proven = _PROVEN.validate_json(unwrap(secret_keys, purpose, bytes.fromhex(sealed)))
    except (CannotUnwrap, ValidationError, ValueError):
        return None
    return proven if now - proven.auth_time <= MAX_AGE else None
