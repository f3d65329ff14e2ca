"""The operations on users."""

from collections.abc import Mapping

from shared.administration.openapi.operations import (
    CREATED,
    ETAG,
    PAGE,
    answers,
    body,
    if_match,
    in_path,
    in_query,
    operation,
)
from shared.administration.openapi.schemas import BOOLEAN, STRING, Schema
from shared.oauth.resource.own import READ_USERS, WRITE_SESSIONS, WRITE_USERS
from shared.paths import (
    ADMIN_USER,
    ADMIN_USER_DISABLE,
    ADMIN_USER_ENABLE,
    ADMIN_USER_LOGOUT,
    ADMIN_USER_PASSWORD,
    ADMIN_USERS,
    Path,
)

SUB = in_path("sub", "of the user")
"""The parameter of every path of a user."""

_FILTERS = [
    in_query("name", STRING, "the user name or the e-mail address; other filters are ignored"),
    in_query("group", STRING, "only members of this group"),
    in_query("is_disabled", BOOLEAN, "only users with this value"),
]

USER_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_USERS: {
        "get": operation(
            "listUsers",
            READ_USERS,
            "Users by user name, page by page",
            answers("200", "Users", "400"),
            parameters=[*PAGE, *_FILTERS],
        ),
        "post": operation(
            "createUser",
            WRITE_USERS,
            "Create a user; memberships need ostiary.groups:write, too",
            answers("201", "User", "400", "409", "413", headers=CREATED),
            requestBody=body("NewUserRequest", is_required=True),
        ),
    },
    ADMIN_USER: {
        "parameters": [SUB],
        "get": operation(
            "readUser", READ_USERS, "A user", answers("200", "User", "400", "404", headers=ETAG)
        ),
        "put": operation(
            "replaceUser",
            WRITE_USERS,
            "Replace the name and the claims; other memberships need ostiary.groups:write, too",
            answers("200", "User", "400", "404", "409", "412", "413", "428", headers=ETAG),
            parameters=[if_match(is_required=True)],
            requestBody=body("UserReplacement", is_required=True),
        ),
        "delete": operation(
            "deleteUser",
            WRITE_USERS,
            "Delete a user, with all sessions, consents and grants",
            answers("204", None, "400", "404", "412"),
            parameters=[if_match(is_required=False)],
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
