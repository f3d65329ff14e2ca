"""Claims that operators and users give."""

from collections.abc import Mapping

from shared.model import Json
from shared.oauth.supported import MEMBERSHIPS, SCOPE_CLAIMS, SERVER_CLAIMS
from shared.operations.user_rules.bad_user import BadUser
from shared.store.codecs.text import is_storable

MAX_CLAIMS_DEPTH = 8

_RELEASED = frozenset(claim for claims in SCOPE_CLAIMS.values() for claim in claims)
_STRINGS = _RELEASED - {"address", "email_verified", "phone_number_verified", "updated_at", *MEMBERSHIPS}
_BOOLEANS = frozenset({"email_verified", "phone_number_verified"})


def check_text(value: object, path: str, depth: int = 0) -> None:
    """Check that every text in *value* can be stored. *path* names it in the message. Raises BadUser."""
    if depth > MAX_CLAIMS_DEPTH:
        raise BadUser(f"{path} is nested too deeply")
    match value:
        case str():
            if not is_storable(value):
                raise BadUser(f"{path} has a character that cannot be stored")
        case Mapping():
            for name, member in value.items():
                check_text(name, path, depth + 1)
                check_text(member, f"{path}.{name}", depth + 1)
        case list() | tuple():
            for member in value:
                check_text(member, path, depth + 1)


def check_claims(claims: Json) -> None:
    """Check the types of *claims* (OpenID Connect Core 1.0 §5.1). Raises BadUser."""
    check_text(claims, "claims")
    for name, value in claims.items():
        if name in SERVER_CLAIMS:
            raise BadUser(f"the claim {name} is the server's own")
        if name in _STRINGS and not isinstance(value, str):
            raise BadUser(f"the claim {name} must be a string")
        if name in _BOOLEANS and not isinstance(value, bool):
            raise BadUser(f"the claim {name} must be true or false")
        if name == "updated_at" and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise BadUser("the claim updated_at must be a number")
        if name == "address" and not _is_object_of_strings(value):
            raise BadUser("the claim address must be an object of strings")
        if name in MEMBERSHIPS and not _is_list_of_strings(value):
            raise BadUser(f"the claim {name} must be a list of strings")
    if "email" in claims and not _is_address(claims["email"]):
        raise BadUser("the claim email is not an e-mail address")


def _is_object_of_strings(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(member, str) for member in value.values())


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(member, str) for member in value)


def _is_address(email: str) -> bool:
    local, at, domain = email.rpartition("@")
    return bool(local and at and domain) and not any(character.isspace() for character in email)
