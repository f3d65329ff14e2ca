"""The names that groups and roles may have, compared as user names are (`username.canonical`). Pure."""

from precis_i18n import get_profile

from shared.identity.username import has_ignorable

MAX_GROUP_NAME = 200  # characters

_PROFILE = get_profile("UsernameCasePreserved")


def prepared_group_name(name: str) -> str | None:
    """*name* as it is stored and released (RFC 8265 §3.4), with single spaces between parts.

    None: it is empty or too long, or has a character that the profile forbids or that is invisible.
    """
    if not name or len(name) > MAX_GROUP_NAME or has_ignorable(name):
        return None
    try:
        prepared = " ".join(_PROFILE.enforce(part) for part in name.split(" "))
    except UnicodeEncodeError:
        return None
    return prepared if len(prepared) <= MAX_GROUP_NAME else None
