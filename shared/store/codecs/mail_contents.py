"""What mails say, as it is stored: encrypted, each for its own row."""

import secrets
from collections.abc import Sequence
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from shared.codec.wrapping import NONCE_BYTES, CannotUnwrap, unwrap, wrap
from shared.store import MailContents, Unavailable

_CONTENTS = TypeAdapter(MailContents)


class SealedContents:
    """Encrypts under the first secret key, and decrypts under any of them."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._secret_keys = secret_keys

    def write(self, mail_id: UUID, contents: MailContents) -> bytes:
        """Raises Unavailable if there is no secret key."""
        if not self._secret_keys:
            raise Unavailable(
                "OSTIARY_SECRET_KEY is not set: mails are encrypted with it until they are sent"
            )
        plain = _CONTENTS.dump_json(contents)
        return wrap(self._secret_keys[0], secrets.token_bytes(NONCE_BYTES), _name(mail_id), plain)

    def read(self, mail_id: UUID, sealed: bytes) -> MailContents | None:
        """None: no secret key decrypts them, or another version wrote them."""
        try:
            return _CONTENTS.validate_json(unwrap(self._secret_keys, _name(mail_id), sealed))
        except (CannotUnwrap, ValidationError):
            return None


def _name(mail_id: UUID) -> str:
    """The name that a ciphertext is bound to."""
    return f"mail:{mail_id}"
