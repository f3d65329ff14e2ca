"""Passwords that operators set. Users hear of faults by pages, in their language."""

from shared.identity.password_rules import MAX_PASSWORD, MIN_PASSWORD, PasswordFault, password_fault
from shared.model import Json
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.names import names_of

PASSWORD_FAULTS: dict[PasswordFault, str] = {
    "length": f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters",
    "characters": "the password has a character that not every keyboard can type",
    "common": "the password is one of those that attackers try first: choose a longer, rarer one",
    "name": "the password is the user's own name or address",
}


def check_password(password: str, username: str, claims: Json) -> None:
    """Whether a user may have the password. Raises BadUser."""
    if fault := password_fault(password, names_of(username, claims)):
        raise BadUser(PASSWORD_FAULTS[fault])
