"""User codes of the device authorization grant (RFC 8628 §6.1).

A code is eight consonants, so it forms no words and has no look-alikes.
"""

import hashlib
from collections.abc import Callable

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
LENGTH = 8
SPACE = len(ALPHABET) ** LENGTH
MAX_TYPED = 64

_SEPARATORS = str.maketrans("", "", " -‐‑–—.\t")


def new_user_code(choose: Callable[[str], str]) -> str:
    """A user code as displayed: `WDJB-MJHT`. *choose* picks a random character."""
    characters = "".join(choose(ALPHABET) for _ in range(LENGTH))
    return f"{characters[:4]}-{characters[4:]}"


def typed(text: str) -> str | None:
    """The user code that somebody typed, as displayed. None: it cannot be one."""
    bare = text[: MAX_TYPED + 1].translate(_SEPARATORS)
    characters = bare.upper()
    # Outside ASCII, a character with an upper case may be a look-alike.
    if not bare.isascii() or len(characters) != LENGTH or not set(characters) <= set(ALPHABET):
        return None
    return f"{characters[:4]}-{characters[4:]}"


def user_code_digest(user_code: str) -> bytes:
    """The 32 bytes under which a code is stored."""
    return hashlib.sha256(user_code.encode()).digest()
