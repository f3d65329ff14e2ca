"""Randomness: the only module that generates handles and identifiers."""

import secrets
import uuid

from shared.identity.recovery_codes import CODE_BYTES, CODES, recovery_code
from shared.oauth.tokens.handle import RANDOM_BYTES, Kind
from shared.oauth.tokens.personal_access_token import DIGITS, RANDOM_LENGTH, personal_access_token


def new_handle(kind: Kind) -> str:
    """A new handle: a prefix for its kind, and 256 random bits."""
    return f"{kind}_{secrets.token_urlsafe(RANDOM_BYTES)}"


def new_personal_access_token() -> str:
    """A new personal access token."""
    return personal_access_token("".join(secrets.choice(DIGITS) for _ in range(RANDOM_LENGTH)))


def new_id() -> uuid.UUID:
    """A fresh identifier for a record: 122 random bits."""
    return uuid.uuid4()


def new_salt() -> str:
    """A fresh salt: not secret, and like no other."""
    return secrets.token_urlsafe(16)


def new_client_id() -> str:
    """A fresh client_id: not secret, and like no other."""
    return f"c_{secrets.token_urlsafe(16)}"  # never begins like an option of a command


def new_client_secret() -> str:
    """A fresh client secret: 256 random bits, so that its plain SHA-256 may be kept."""
    return secrets.token_urlsafe(RANDOM_BYTES)


def new_password() -> str:
    """A fresh password for a user, who may change it: 120 random bits."""
    return secrets.token_urlsafe(15)


def new_nonce(size: int) -> bytes:
    """*size* random bytes, for one encryption."""
    return secrets.token_bytes(size)


def new_recovery_codes() -> tuple[str, ...]:
    """Fresh recovery codes of a user."""
    return tuple(recovery_code(secrets.token_bytes(CODE_BYTES)) for _ in range(CODES))


def new_mail_code() -> str:
    """A fresh code of six digits, which may be typed a few times only."""
    return f"{secrets.randbelow(1_000_000):06}"


def new_request_id() -> str:
    """A fresh identifier for a request in the logs, which may be its trace id too: 128 random bits."""
    return secrets.token_hex(16)


def new_span_id() -> str:
    """A fresh identifier for a span: 64 random bits."""
    return secrets.token_hex(8)
