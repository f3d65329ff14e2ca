"""The operations on roles."""

from collections.abc import Mapping

from services.accounts.administration.openapi.groups import GROUP
from services.accounts.administration.openapi.users import SUB
from shared.administration.openapi.operations import answers, in_path, operation
from shared.administration.openapi.records import creation, deletion, listing, reading, replacement
from shared.administration.openapi.schemas import Schema
from shared.oauth.resource.own import READ_GROUPS, WRITE_GROUPS
from shared.paths import ADMIN_ROLE, ADMIN_ROLE_GROUP, ADMIN_ROLE_USER, ADMIN_ROLES, Path

_ROLE = in_path("role", "the name of the role")


def _act(name: str, summary: str) -> Schema:
    return operation(name, WRITE_GROUPS, summary, answers("204", None, "400", "404"))


ROLE_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_ROLES: {
        "get": listing("listRoles", READ_GROUPS, "Roles by name, page by page", "Roles"),
        "post": creation(
            "createRole", WRITE_GROUPS, "Create a role that nobody has", "Role", "NewRoleRequest"
        ),
    },
    ADMIN_ROLE: {
        "parameters": [_ROLE],
        "get": reading("readRole", READ_GROUPS, "A role", "Role"),
        "put": replacement(
            "replaceRole", WRITE_GROUPS, "Replace the name of a role", "Role", "RoleReplacement", "409"
        ),
        "delete": deletion(
            "deleteRole", WRITE_GROUPS, "Delete a role; every session and grant of whoever has it ends"
        ),
    },
    ADMIN_ROLE_USER: {
        "parameters": [_ROLE, SUB],
        "put": _act("giveRole", "Give a user the role"),
        "delete": _act("takeRole", "Take the role from a user, and with it every session and grant"),
    },
    ADMIN_ROLE_GROUP: {
        "parameters": [_ROLE, GROUP],
        "put": _act("giveRoleToGroup", "Give whoever is in a group the role"),
        "delete": _act(
            "takeRoleFromGroup",
            "Take the role from a group, and with it every session and grant of whoever is in it",
        ),
    },
}
