"""The OpenAPI document of a deployment's administration of accounts."""

from functools import cache
from typing import Any

from services.accounts.administration.openapi.groups import GROUP_OPERATIONS
from services.accounts.administration.openapi.roles import ROLE_OPERATIONS
from services.accounts.administration.openapi.schemas import schemas
from services.accounts.administration.openapi.sessions import SESSION_OPERATIONS
from services.accounts.administration.openapi.users import USER_OPERATIONS
from shared.administration.openapi.document import openapi_document
from shared.oauth.resource.own import (
    READ_GRANTS,
    READ_GROUPS,
    READ_SESSIONS,
    READ_USERS,
    WRITE_GRANTS,
    WRITE_GROUPS,
    WRITE_SESSIONS,
    WRITE_USERS,
)

_SCOPES = {
    READ_USERS: "read users",
    WRITE_USERS: "create, change, disable and delete users, and set passwords",
    READ_GROUPS: "read groups and roles",
    WRITE_GROUPS: "create, change and delete groups and roles, and change who is in them and has them",
    READ_SESSIONS: "read sessions",
    WRITE_SESSIONS: "end sessions",
    READ_GRANTS: "read grants",
    WRITE_GRANTS: "revoke grants",
}


@cache
def document(issuer: str) -> dict[str, Any]:
    """The document of a deployment."""
    return openapi_document(
        "administration of users, groups, roles, sessions and grants",
        issuer,
        {**USER_OPERATIONS, **GROUP_OPERATIONS, **ROLE_OPERATIONS, **SESSION_OPERATIONS},
        schemas(),
        _SCOPES,
    )
