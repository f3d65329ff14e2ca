"""User names, and what is known of a user by name."""

from shared.identity.username import has_ignorable
from shared.model import Json
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.claims import check_text

MAX_NAME = 200


def check_username(username: str) -> None:
    """Raises BadUser if the name is empty or too long, or has invisible characters."""
    check_text(username, "the user name")
    if not username.strip() or username != username.strip() or len(username) > MAX_NAME:
        raise BadUser(f"a user name has 1 to {MAX_NAME} characters and no spaces at its ends")
    if not username.isprintable() or has_ignorable(username):
        raise BadUser("a user name must have visible characters only")


def names_of(username: str, claims: Json) -> tuple[str, ...]:
    """What is known of a user and therefore guessed as their password."""
    known = (username, claims.get("email"), claims.get("name"))
    return tuple(name for name in known if isinstance(name, str))
