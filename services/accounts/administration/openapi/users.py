"""The operations on users."""

from collections.abc import Mapping

from shared.administration.openapi.operations import (
    ETAG,
    answers,
    body,
    if_match,
    in_path,
    in_query,
    operation,
)
from shared.administration.openapi.records import creation, deletion, listing, reading, replacement
from shared.administration.openapi.schemas import BOOLEAN, STRING, Schema
from shared.oauth.resource.own import READ_USERS, WRITE_SESSIONS, WRITE_USERS
from shared.paths import (
    ADMIN_USER,
    ADMIN_USER_DISABLE,
    ADMIN_USER_ENABLE,
    ADMIN_USER_LOGOUT,
    ADMIN_USER_PASSWORD,
    ADMIN_USER_RECOVERY,
    ADMIN_USERS,
    Path,
)

SUB = in_path("sub", "of the user")
"""The parameter of every path of a user."""

_FILTERS = [
    in_query("name", STRING, "the user name or the e-mail address; other filters are ignored"),
    in_query("group", STRING, "only users in this group, directly or through another group"),
    in_query("is_disabled", BOOLEAN, "only users with this value"),
]

USER_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_USERS: {
        "get": listing("listUsers", READ_USERS, "Users by user name, page by page", "Users", _FILTERS),
        "post": creation(
            "createUser",
            WRITE_USERS,
            "Create a user; groups and roles need ostiary.groups:write, too",
            "User",
            "NewUserRequest",
        ),
    },
    ADMIN_USER: {
        "parameters": [SUB],
        "get": reading("readUser", READ_USERS, "A user", "User"),
        "put": replacement(
            "replaceUser",
            WRITE_USERS,
            "Replace the name and the claims; other groups and roles need ostiary.groups:write, too",
            "User",
            "UserReplacement",
            "409",
        ),
        "delete": deletion(
            "deleteUser", WRITE_USERS, "Delete a user, with all sessions, consents and grants"
        ),
    },
    ADMIN_USER_DISABLE: {
        "parameters": [SUB],
        "post": operation(
            "disableUser",
            WRITE_USERS,
            "Disable a user; every session and grant ends",
            answers("200", "User", "400", "404", "412", headers=ETAG),
            parameters=[if_match(is_required=False)],
        ),
    },
    ADMIN_USER_ENABLE: {
        "parameters": [SUB],
        "post": operation(
            "enableUser",
            WRITE_USERS,
            "Enable a user again",
            answers("200", "User", "400", "404", "412", headers=ETAG),
            parameters=[if_match(is_required=False)],
        ),
    },
    ADMIN_USER_PASSWORD: {
        "parameters": [SUB],
        "post": operation(
            "setPassword",
            WRITE_USERS,
            "Set a password, generated if none is given; every session and grant ends",
            answers("200", "SetPassword", "400", "404", "412", "413"),
            parameters=[if_match(is_required=False)],
            requestBody=body("PasswordRequest", is_required=False),
        ),
    },
    ADMIN_USER_RECOVERY: {
        "parameters": [SUB],
        "post": operation(
            "makeRecoveryLink",
            WRITE_USERS,
            "A link, shown once, by which the user sets a new password; the administrator has just signed in"
            " by several factors",
            answers("200", "RecoveryLink", "400", "404", "409", "412"),
            parameters=[if_match(is_required=False)],
        ),
    },
    ADMIN_USER_LOGOUT: {
        "parameters": [SUB],
        "post": operation(
            "logUserOut",
            WRITE_SESSIONS,
            "End every session and grant of a user",
            answers("204", None, "400", "404"),
        ),
    },
}
