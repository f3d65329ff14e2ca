"""Password hashes that other servers made: bcrypt, PBKDF2 and Argon2. Pure.

Each is checked once: a right password is then stored as this server hashes it. The cost that a hash demands
is limited, because each attempt to sign in pays it.
"""

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as BadBase64

import bcrypt
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

MAX_BCRYPT_COST = 15
MAX_BCRYPT_BYTES = 72  # of a password: bcrypt never reads more
MAX_PBKDF2_ROUNDS = 5_000_000
MAX_KEY_BYTES = 64
MAX_ARGON2_PASSES = 16
MAX_ARGON2_MEMORY = 256 * 1024  # KiB

_BCRYPT = re.compile(r"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_PBKDF2 = re.compile(
    r"\$pbkdf2(?:-(?P<digest>sha256|sha512))?\$(?:i=)?(?P<rounds>\d{1,9})(?:,l=\d+)?"
    r"\$(?P<salt>[A-Za-z0-9./+]+)\$(?P<key>[A-Za-z0-9./+]+)"
)
"""The PHC string format, and that of passlib: base64 without padding, where `.` stands for `+`."""

_DJANGO_PBKDF2 = re.compile(
    r"pbkdf2_(?P<digest>sha256|sha1)\$(?P<rounds>\d{1,9})\$(?P<salt>[^$]+)\$(?P<key>[A-Za-z0-9/+]+=*)"
)
_DJANGO_ARGON2 = "argon2$"


class BadHash(Exception):
    """The text is no hash that can be imported; says why."""


def _decoded(text: str) -> bytes:
    standard = text.replace(".", "+").rstrip("=")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except BadBase64:
        raise BadHash("its salt or key is not base64") from None


def _pbkdf2(password_hash: str) -> tuple[str, int, bytes, bytes] | None:
    """Digest, rounds, salt and key. None: it is another kind of hash. Raises BadHash."""
    if match := _PBKDF2.fullmatch(password_hash):
        salt = _decoded(match["salt"])
    elif match := _DJANGO_PBKDF2.fullmatch(password_hash):
        salt = match["salt"].encode()
    else:
        return None
    rounds, key = int(match["rounds"]), _decoded(match["key"])
    if not 1 <= rounds <= MAX_PBKDF2_ROUNDS:
        raise BadHash(f"it demands more than {MAX_PBKDF2_ROUNDS} rounds, or none")
    digest = match["digest"] or "sha1"
    if not hashlib.new(digest).digest_size <= len(key) <= MAX_KEY_BYTES:
        raise BadHash("its key is shorter than the digest, or longer than any")
    return digest, rounds, salt, key


def checked_hash(password_hash: str) -> str:
    """The hash as it is stored. Raises BadHash: unknown, damaged, or too expensive to check."""
    text = password_hash.removeprefix(_DJANGO_ARGON2)
    text = text if text.startswith(("$", "pbkdf2_")) else f"${text}"  # Django: argon2$argon2id$…
    if match := _BCRYPT.fullmatch(text):
        if not 4 <= int(match[1]) <= MAX_BCRYPT_COST:
            raise BadHash(f"its cost is not 4 to {MAX_BCRYPT_COST}")
        return text
    if _pbkdf2(text):
        return text
    try:
        parameters = extract_parameters(text)
    except InvalidHashError:
        raise BadHash("it is neither bcrypt nor PBKDF2 nor Argon2") from None
    if parameters.time_cost > MAX_ARGON2_PASSES or parameters.memory_cost > MAX_ARGON2_MEMORY:
        raise BadHash(f"it demands more than {MAX_ARGON2_PASSES} passes over {MAX_ARGON2_MEMORY} KiB")
    return text


def is_right(hasher: PasswordHasher, password_hash: str, password: str) -> bool:
    """Whether the hash, of whatever kind, was made of *password*. A text that is no hash was not."""
    encoded = password.encode()
    if _BCRYPT.fullmatch(password_hash):
        return bcrypt.checkpw(encoded[:MAX_BCRYPT_BYTES], password_hash.encode())
    try:
        if parameters := _pbkdf2(password_hash):
            digest, rounds, salt, key = parameters
            made = hashlib.pbkdf2_hmac(digest, encoded, salt, rounds, len(key))
            return hmac.compare_digest(made, key)
        return hasher.verify(password_hash, password)
    except (BadHash, VerificationError, InvalidHashError):
        return False
