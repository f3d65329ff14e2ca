"""Recovery codes: what a user without their authenticator app signs in with, each once. Pure.

NIST SP 800-63B-4 §3.1.2, look-up secrets. A code has 80 bits, so that a hash without salt cannot be searched.
"""

import hashlib
from base64 import b32encode
from uuid import UUID

CODES = 10
CODE_BYTES = 10
_GROUP = 4  # characters


def recovery_code(random: bytes) -> str:
    """The code of CODE_BYTES random bytes, in groups: lower case, and no 0, 1, 8 or 9."""
    text = b32encode(random).decode().lower()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def recovery_code_hash(user_id: UUID, typed: str) -> str:
    """64 hexadecimal digits, the same if the code is typed in capitals, with spaces or without hyphens."""
    code = "".join(character for character in typed.lower() if character.isalnum())
    return hashlib.sha256(f"{user_id} {code}".encode(errors="replace")).hexdigest()
