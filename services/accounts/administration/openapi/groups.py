"""The operations on groups and memberships."""

from collections.abc import Mapping

from services.accounts.administration.openapi.users import SUB
from shared.administration.openapi.operations import answers, if_match, in_path, operation
from shared.administration.openapi.records import creation, deletion, listing, reading, replacement
from shared.administration.openapi.schemas import Schema
from shared.oauth.resource.own import READ_GROUPS, WRITE_GROUPS
from shared.paths import ADMIN_GROUP, ADMIN_GROUP_MEMBER, ADMIN_GROUPS, ADMIN_NESTED_GROUP, Path

GROUP = in_path("group", "the name of the group")
"""The parameter of every path of a group."""

GROUP_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_GROUPS: {
        "get": listing("listGroups", READ_GROUPS, "Groups by name, page by page", "Groups"),
        "post": creation(
            "createGroup", WRITE_GROUPS, "Create a group without members", "Group", "NewGroupRequest"
        ),
    },
    ADMIN_GROUP: {
        "parameters": [GROUP],
        "get": reading("readGroup", READ_GROUPS, "A group", "Group"),
        "put": replacement(
            "replaceGroup",
            WRITE_GROUPS,
            "Replace a group; what is omitted is taken away, and its members stay",
            "Group",
            "GroupReplacement",
            "409",
        ),
        "delete": deletion(
            "deleteGroup", WRITE_GROUPS, "Delete a group; every session and grant of whoever is in it ends"
        ),
    },
    ADMIN_GROUP_MEMBER: {
        "parameters": [GROUP, SUB],
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
    ADMIN_NESTED_GROUP: {
        "parameters": [GROUP, in_path("member", "the name of the group that is in it")],
        "put": operation(
            "nestGroup",
            WRITE_GROUPS,
            "Make a group a member: whoever is in it is in the group, too, and has its scopes",
            answers("204", None, "400", "404", "412"),
            parameters=[if_match(is_required=False)],
        ),
        "delete": operation(
            "unnestGroup",
            WRITE_GROUPS,
            "End the membership of a group, and every session and grant of whoever is in it",
            answers("204", None, "400", "404", "412"),
            parameters=[if_match(is_required=False)],
        ),
    },
}
