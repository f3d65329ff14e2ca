"""Which passwords may be set, and the forms in which one is compared. Pure.

NIST SP 800-63B-4 §3.1.1.2: a length, which is greater where a password alone signs its user in, a list of
passwords that attackers try first, and nothing about kinds of characters. RFC 8265 §4.2, OpaqueString: one
password from every keyboard.
"""

import unicodedata
from collections.abc import Iterable
from typing import Literal

from precis_i18n import get_profile

from shared.identity.common_passwords import COMMON_PASSWORDS
from shared.identity.username import canonical

MIN_SINGLE_FACTOR, MIN_PASSWORD, MAX_PASSWORD = 15, 8, 1024  # characters
FEWEST_DISTINCT = 4  # characters that differ

PasswordFault = Literal["length", "characters", "common", "name"]
"""Too short or too long, a character that not every keyboard can type, guessed at once, the user's name."""

_OPAQUE_STRING = get_profile("OpaqueString")


def prepared_password(password: str) -> str | None:
    """*password* as RFC 8265 §4.2.1 prepares it: spaces are ASCII spaces, and it is in NFC.

    None: it is empty, or has a character that the profile forbids, such as a control character.
    """
    try:
        prepared: str = _OPAQUE_STRING.enforce(password)
    except UnicodeEncodeError:
        return None
    return prepared


def password_forms(password: str) -> tuple[str, ...]:
    """The forms of a typed password of which a stored hash may have been made, the current one first.

    Earlier releases normalized without the profile, and other servers hashed whatever was typed.
    """
    nfc = unicodedata.normalize("NFC", password)
    return tuple(dict.fromkeys((prepared_password(password) or nfc, nfc, password)))


def least_length(*, needs_second_factor: bool) -> int:
    """The fewest characters of a new password. *needs_second_factor*: it signs nobody in alone."""
    return MIN_PASSWORD if needs_second_factor else MIN_SINGLE_FACTOR


def password_fault(password: str, least: int, names: Iterable[str] = ()) -> PasswordFault | None:
    """Why a user with these *names* and addresses may not have the password; None: they may.

    *least*: the fewest characters.
    """
    prepared = prepared_password(password)
    if not least <= len(prepared or password) <= MAX_PASSWORD:
        return "length"
    if prepared is None:
        return "characters"
    lowered = canonical(prepared)
    guesses = {
        lowered,
        lowered.rstrip("0123456789!?.*#$@_- "),
    }  # a word and the year is no better than a word
    if len(set(lowered)) < FEWEST_DISTINCT or not COMMON_PASSWORDS.isdisjoint(guesses):
        return "common"
    typed = {canonical(name) for name in names}
    parts = {name.partition("@")[0] for name in typed}
    return None if guesses.isdisjoint(typed | parts) else "name"
