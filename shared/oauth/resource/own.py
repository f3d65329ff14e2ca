"""This server's own protected resources, which every deployment has. Pure."""

from shared.oauth.resource.record import ProtectedResource, Texts
from shared.oauth.supported import SCOPES
from shared.paths import ADMINISTRATION_PREFIX, PREFIX, USERINFO

READ_CLIENTS = "ostiary.clients:read"
WRITE_CLIENTS = "ostiary.clients:write"
READ_RESOURCES = "ostiary.resources:read"
WRITE_RESOURCES = "ostiary.resources:write"
READ_USERS = "ostiary.users:read"
WRITE_USERS = "ostiary.users:write"
READ_GROUPS = "ostiary.groups:read"
WRITE_GROUPS = "ostiary.groups:write"
READ_SESSIONS = "ostiary.sessions:read"
WRITE_SESSIONS = "ostiary.sessions:write"
READ_GRANTS = "ostiary.grants:read"
WRITE_GRANTS = "ostiary.grants:write"
ADMINISTRATION_SCOPES = (
    *(READ_CLIENTS, WRITE_CLIENTS, READ_RESOURCES, WRITE_RESOURCES),
    *(READ_USERS, WRITE_USERS, READ_GROUPS, WRITE_GROUPS),
    *(READ_SESSIONS, WRITE_SESSIONS, READ_GRANTS, WRITE_GRANTS),
)

PROTOCOL_SCOPES = frozenset(SCOPES)
"""Scopes of the grant itself, which can be combined with the scopes of any resource."""

RESERVED_SCOPES = PROTOCOL_SCOPES | frozenset(ADMINISTRATION_SCOPES)
"""Scopes that no registered resource may own."""


def userinfo_resource(issuer: str) -> str:
    """The identifier of the userinfo endpoint as a resource: its URL."""
    return USERINFO.at(issuer)


def administration_resource(issuer: str) -> str:
    """The identifier of the administration API."""
    return f"{issuer}{ADMINISTRATION_PREFIX.removeprefix(PREFIX)}"


def own_resources(issuer: str) -> tuple[ProtectedResource, ...]:
    """The issuer, which stands for all of them, the userinfo endpoint and the administration API."""
    claims: dict[str, Texts] = {scope: {} for scope in SCOPES}
    administration: dict[str, Texts] = {scope: {} for scope in ADMINISTRATION_SCOPES}
    owned = (
        (issuer, "OpenID Provider", {**claims, **administration}),
        (userinfo_resource(issuer), "Userinfo", claims),
        (administration_resource(issuer), "Administration", administration),
    )
    return tuple(
        ProtectedResource(resource=resource, name=name, scopes=scopes, is_own=True)
        for resource, name, scopes in owned
    )
