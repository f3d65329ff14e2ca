"""Passwords in a deployment. Operators hear of faults here, users by pages, in their language."""

from shared.config.settings import Settings
from shared.identity.password_rules import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    PasswordFault,
    least_length,
    password_fault,
)
from shared.model import Json
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.names import names_of

PASSWORD_FAULTS: dict[PasswordFault, str] = {
    "length": f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters",
    "characters": "the password has a character that not every keyboard can type",
    "common": "the password is one of those that attackers try first: choose a longer, rarer one",
    "name": "the password is the user's own name or address",
}


def least_password(settings: Settings) -> int:
    """The fewest characters of a password that users choose in this deployment."""
    return least_length(needs_second_factor=settings.demands_second_factor(of_group=False))


def check_password(password: str, username: str, claims: Json) -> None:
    """Whether an operator may give a user the password. Raises BadUser.

    Eight characters are enough: the operator decides what the user needs besides, and for how long it stays.
    """
    if fault := password_fault(password, MIN_PASSWORD, names_of(username, claims)):
        raise BadUser(PASSWORD_FAULTS[fault])
