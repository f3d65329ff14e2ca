"""The operations on groups and memberships."""

from collections.abc import Mapping

from services.accounts.administration.openapi.users import SUB
from shared.administration.openapi.operations import (
    CREATED,
    ETAG,
    PAGE,
    answers,
    body,
    if_match,
    in_path,
    operation,
)
from shared.administration.openapi.schemas import Schema
from shared.oauth.resource.own import READ_GROUPS, WRITE_GROUPS
from shared.paths import ADMIN_GROUP, ADMIN_GROUP_MEMBER, ADMIN_GROUPS, Path

_GROUP = in_path("group", "the name of the group")

GROUP_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_GROUPS: {
        "get": operation(
            "listGroups",
            READ_GROUPS,
            "Groups by name, page by page",
            answers("200", "Groups", "400"),
            parameters=PAGE,
        ),
        "post": operation(
            "createGroup",
            WRITE_GROUPS,
            "Create a group without members",
            answers("201", "Group", "400", "409", "413", headers=CREATED),
            requestBody=body("NewGroupRequest", is_required=True),
        ),
    },
    ADMIN_GROUP: {
        "parameters": [_GROUP],
        "get": operation(
            "readGroup", READ_GROUPS, "A group", answers("200", "Group", "400", "404", headers=ETAG)
        ),
        "put": operation(
            "replaceGroup",
            WRITE_GROUPS,
            "Replace the name and the scopes of a group; omitted scopes are taken away",
            answers("200", "Group", "400", "404", "409", "412", "413", "428", headers=ETAG),
            parameters=[if_match(is_required=True)],
            requestBody=body("GroupReplacement", is_required=True),
        ),
        "delete": operation(
            "deleteGroup",
            WRITE_GROUPS,
            "Delete a group; every session and grant of its members ends",
            answers("204", None, "400", "404", "412"),
            parameters=[if_match(is_required=False)],
        ),
    },
    ADMIN_GROUP_MEMBER: {
        "parameters": [_GROUP, SUB],
        "put": operation(
            "joinGroup", WRITE_GROUPS, "Make a user a member", answers("204", None, "400", "404")
        ),
        "delete": operation(
            "leaveGroup",
            WRITE_GROUPS,
            "End a membership, and with it every session and grant of the user",
            answers("204", None, "400", "404"),
        ),
    },
}
