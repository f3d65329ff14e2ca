"""The sign-up form: the rules that operators follow, and stricter ones for self-registration."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from shared.browser.pages import SignUpFault
from shared.identity.password_rules import PasswordFault, password_fault
from shared.identity.username import canonical, prepared
from shared.model import Json
from shared.oauth.parameters import Parameters
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.claims import check_claims
from shared.operations.user_rules.names import MAX_NAME, check_username, names_of

MAX_EMAIL = 254  # RFC 5321 §4.5.3.1.3, without the angle brackets

_PASSWORD_FAULTS: dict[PasswordFault, SignUpFault] = {
    "length": "password",
    "characters": "password_characters",
    "common": "password_common",
    "name": "password_name",
}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NewUser:
    """A valid new user, who can be added if the user name is free."""

    username: str
    claims: Json
    password: str = field(repr=False)


def read_new_user(fields: Parameters, least_password: int) -> NewUser | SignUpFault:
    """Read the fields `username`, `password`, `name` and `email`, or return the first fault."""
    typed, name, email = ((fields.unique(field) or "").strip() for field in ("username", "name", "email"))
    username = prepared(typed)
    if username is None or not _holds(check_username, username) or "@" in canonical(username):
        return "username"  # a name with an @ would claim an address that nobody has verified
    if not _is_line(name, MAX_NAME):
        return "name"
    if email and not (_is_line(email, MAX_EMAIL) and _holds(check_claims, {"email": email})):
        return "email"
    name_claim = {"name": name} if name else {}
    reached = {"email": email, "email_verified": False} if email else {}
    claims = {**name_claim, **reached}
    password = fields.unique("password") or ""
    if fault := password_fault(password, least_password, names_of(username, claims)):
        return _PASSWORD_FAULTS[fault]
    return NewUser(username, claims, password)


def _is_line(text: str, longest: int) -> bool:
    return len(text) <= longest and text.isprintable()


def _holds(check: Callable[[T], object], value: T) -> bool:
    try:
        check(value)
    except BadUser:
        return False
    return True
