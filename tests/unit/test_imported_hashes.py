"""Hashes of other servers, as Django, passlib and others write them."""

import hashlib
from base64 import b64encode

import bcrypt
import pytest
from argon2 import PasswordHasher

from shared.identity.imported_hashes import BadHash, checked_hash, is_right
from shared.identity.passwords import FAST, Passwords, hash_password
from tests.planted import planted
from tests.planted.passwords import compares_passwords_as_typed, forgets_earlier_forms, keeps_imported_hashes

PASSWORD = "correct horse battery staple"


def b64(data: bytes) -> str:
    """Base64 without padding."""
    return b64encode(data).decode().rstrip("=")


def pbkdf2(digest: str, salt: bytes, password: str = PASSWORD, rounds: int = 1000) -> bytes:
    """The derived key."""
    return hashlib.pbkdf2_hmac(digest, password.encode(), salt, rounds)


SALT = b"\xfb\xefsixteen bytes.."
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), b"$2b$04$abcdefghijklmnopqrstuu").decode()
ARGON2 = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD, salt=SALT)
HASHES = {
    "bcrypt": BCRYPT,
    "bcrypt of PHP": BCRYPT.replace("$2b$", "$2y$"),
    "PHC": f"$pbkdf2-sha256$i=1000,l=32${b64(SALT)}${b64(pbkdf2('sha256', SALT))}",
    "passlib": f"$pbkdf2-sha512$1000${b64(SALT)}${b64(pbkdf2('sha512', SALT))}".replace("+", "."),
    "passlib, SHA-1": f"$pbkdf2$1000${b64(SALT)}${b64(pbkdf2('sha1', SALT))}".replace("+", "."),
    "Django": f"pbkdf2_sha256$1000$saltsalt${b64encode(pbkdf2('sha256', b'saltsalt')).decode()}",
    "Argon2id": ARGON2,
    "Argon2 of Django": "argon2" + ARGON2,
}


@planted(keeps_imported_hashes)
@pytest.mark.parametrize("kind", HASHES)
async def test_a_right_password_replaces_the_hash(kind: str) -> None:
    """A wrong one is wrong; the new hash is one of this server, under its own parameters."""
    passwords = Passwords(FAST)
    stored = checked_hash(HASHES[kind])
    assert not (await passwords.check(stored, PASSWORD + "!")).is_right
    verdict = await passwords.check(stored, PASSWORD)
    passwords.close()
    assert verdict.is_right
    assert verdict.new_hash
    assert not FAST.check_needs_rehash(verdict.new_hash)


def test_the_known_answer_of_another_implementation() -> None:
    """RFC 7914 §11: PBKDF2-HMAC-SHA-256 of "passwd" and "salt", one round, the first 32 bytes."""
    key = bytes.fromhex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
    stored = checked_hash(f"$pbkdf2-sha256$1${b64(b'salt')}${b64(key)}")
    assert is_right(FAST, stored, "passwd")
    assert not is_right(FAST, stored, "password")


def test_bcrypt_reads_72_bytes() -> None:
    """As every server has it: what follows them was never part of the hash."""
    long = "\u00e9" * 50
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert is_right(FAST, stored, long)
    assert not is_right(FAST, stored, "\u00e8" * 50)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "neither"),
        ("$1$salt$hash", "neither"),
        ("md5$salt$5f4dcc3b5aa765d61d8327deb882cf99", "neither"),
        (HASHES["bcrypt"][:-1], "neither"),
        (HASHES["bcrypt"].replace("$04$", "$16$"), "cost"),
        (HASHES["PHC"].replace("i=1000", "i=5000001"), "rounds"),
        (HASHES["PHC"].replace("i=1000", "i=0"), "rounds"),
        (HASHES["PHC"][:-12], "shorter"),
        (f"$pbkdf2-sha256$1000${b64(SALT)}${b64(bytes(65))}", "longer"),
        (HASHES["Argon2id"].replace("m=16", "m=1000000"), "passes"),
        (HASHES["Argon2id"].replace("t=1", "t=99"), "passes"),
    ],
)
def test_what_is_not_imported(text: str, reason: str) -> None:
    """Fast or unknown hashes, damaged ones, and those that take too long to check."""
    with pytest.raises(BadHash, match=reason):
        checked_hash(text)
    assert not is_right(FAST, "no hash", PASSWORD)


@planted(compares_passwords_as_typed)
async def test_spaces_and_accents_of_every_keyboard_are_one_password() -> None:
    """RFC 8265 §4.2.1."""
    passwords = Passwords(FAST)
    stored = await passwords.hash("caf\u00e9 noir et sucre")
    assert (await passwords.check(stored, "cafe\u0301\u00a0noir et sucre")).is_right
    passwords.close()


@planted(forgets_earlier_forms)
async def test_a_hash_of_another_form_of_the_password_is_right_and_replaced() -> None:
    """Other servers hash what is typed, without normalization."""
    typed = "cafe\u0301 noir et sucre"
    stored = bcrypt.hashpw(typed.encode(), bcrypt.gensalt(4)).decode()
    passwords = Passwords(FAST)
    verdict = await passwords.check(stored, typed)
    assert verdict.is_right
    assert verdict.new_hash
    assert (await passwords.check(verdict.new_hash, "caf\u00e9 noir et sucre")).is_right
    own = FAST.hash("caf\u00e9\u00a0noir")  # of an earlier release, which kept the space
    verdict = await passwords.check(own, "caf\u00e9\u00a0noir")
    passwords.close()
    assert verdict.is_right
    assert verdict.new_hash
    assert hash_password("x", FAST) != verdict.new_hash
