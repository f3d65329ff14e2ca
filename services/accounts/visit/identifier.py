"""The identifier of what a form is about. Pure."""

from uuid import UUID

from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters


def identifier_of(fields: Parameters, name: str) -> UUID:
    """The UUID in the field *name*. Raises InvalidRequest."""
    try:
        return UUID(fields.unique(name) or "")
    except ValueError:
        raise InvalidRequest(f"{name} is malformed") from None
