"""The users who may sign in to a client: everybody, or the members of its allowed groups. Pure."""

from collections.abc import Collection

from shared.identity.username import canonical
from shared.oauth.client.record import Client


def is_admitted(client: Client, groups: Collection[str] | None) -> bool:
    """Whether a user in *groups* may sign in to the client. The groups are read if it allows only some."""
    if not client.allowed_groups:
        return True
    allowed = {canonical(name) for name in client.allowed_groups}
    return any(canonical(name) in allowed for name in groups or ())
