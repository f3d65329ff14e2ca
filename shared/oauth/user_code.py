"""User codes of the device authorization grant: RFC 8628 §6.1. Eight consonants: no words, no look-alikes."""

import hashlib
from collections.abc import Callable

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
SPACE = len(ALPHABET) ** LENGTH
MAX_TYPED = 64

_SEPARATORS = str.maketrans("", "", " -‐‑–—.\t")


def new_user_code(choose: Callable[[str], str]) -> str:
    """A code, as it is shown: `WDJB-MJHT`. *choose* picks a character at random."""
    characters = "".join(choose(ALPHABET) for _ in range(LENGTH))
    return f"{characters[:4]}-{characters[4:]}"


def typed(text: str) -> str | None:
    """The code that a person typed, as it is shown; None where it cannot be one."""
    bare = text[: MAX_TYPED + 1].translate(_SEPARATORS)
    characters = bare.upper()
    # Beyond ASCII, what has an upper case may be a look-alike.
    if not bare.isascii() or len(characters) != LENGTH or not set(characters) <= set(ALPHABET):
        return None
    return f"{characters[:4]}-{characters[4:]}"


def user_code_digest(user_code: str) -> bytes:
    """The 32 bytes under which a code is kept."""
    return hashlib.sha256(user_code.encode()).digest()
