"""A password that a user chooses: checked by the rules, and hashed."""

from dataclasses import dataclass

from shared.browser.pages import PasswordChangeFault
from shared.identity.password_rules import PasswordFault, password_fault
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.model import User
from shared.oauth.errors import TemporarilyUnavailable
from shared.operations.user_rules.names import names_of

NEW_PASSWORD, OTHERS = "new_password", "sign_out_others"
"""The fields of the form: the password, and whether other sessions end."""

FAULTS: dict[PasswordFault, PasswordChangeFault] = {
    "length": "password",
    "characters": "password_characters",
    "common": "password_common",
    "name": "password_name",
}


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """The hash of a password that the user may have, in the PHC string format."""

    text: str


async def new_password(
    passwords: Passwords, password: str, least: int, user: User, replaced: str | None = None
) -> PasswordHash | PasswordChangeFault:
    """The hash of *password*, or what is wrong with it.

    It has *least* characters or more, and is another one than that whose hash is *replaced*. Raises
    TemporarilyUnavailable.
    """
    if fault := password_fault(password, least, names_of(user.username, user.claims)):
        return FAULTS[fault]
    try:
        if replaced and (await passwords.check(replaced, password)).is_right:
            return "password_same"
        return PasswordHash(await passwords.hash(password))
    except PasswordQueueFull as full:
        raise TemporarilyUnavailable("too many users are signing in", detail=str(full)) from None
