"""The secret keys of a deployment: their fingerprints, and a file of them that a passphrase opens. *Pure.*

The passphrase makes the key of AES-256-GCM by scrypt (RFC 7914); the parameters stand in the file.
"""

import base64
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shared.codec.json_text import BadJson, parse_object
from shared.model import Json

SALT_BYTES = 16
NONCE_BYTES = 12

_N, _R, _P = 2**17, 8, 1  # 128 MiB, as OWASP recommends
_FORMAT = "ostiary secret keys, version 1"


class CannotUnseal(Exception):
    """The passphrase is another one, or the file is damaged."""


def fingerprint(secret_key: str) -> str:
    """128 bits that tell secret keys apart and say nothing about them, as hexadecimal digits."""
    info = b"ostiary: fingerprint of a secret key, version 1"
    return HKDF(SHA256(), 16, salt=None, info=info).derive(secret_key.encode()).hex()


def seal(secret_keys: Sequence[str], passphrase: str, salt: bytes, nonce: bytes) -> Json:
    """*secret_keys* for a JSON file. *salt* is 16 random bytes, *nonce* 12."""
    sealed = _cipher(passphrase, salt).encrypt(nonce, "\n".join(secret_keys).encode(), _FORMAT.encode())
    return {"format": _FORMAT, "salt": _text(salt), "nonce": _text(nonce), "sealed": _text(sealed)}


def unseal(text: bytes, passphrase: str) -> tuple[str, ...]:
    """The secret keys in a file that `seal` made. Raises CannotUnseal."""
    try:
        members = parse_object(text)
        salt, nonce, sealed = (
            base64.b64decode(members[name], validate=True) for name in ("salt", "nonce", "sealed")
        )
        if members["format"] != _FORMAT:
            raise CannotUnseal("it has a format that this version does not know")
        opened = _cipher(passphrase, salt).decrypt(nonce, sealed, _FORMAT.encode())
    except (BadJson, KeyError, TypeError, ValueError):
        raise CannotUnseal("it is damaged") from None
    except InvalidTag:
        raise CannotUnseal("the passphrase is another one, or the file is damaged") from None
    return tuple(opened.decode().split("\n"))


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=_N, r=_R, p=_P).derive(passphrase.encode()))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
