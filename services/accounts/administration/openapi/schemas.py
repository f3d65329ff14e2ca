"""The schemas of the bodies."""

from services.accounts.administration.bodies import (
    GroupReplacement,
    NewGroupRequest,
    NewRoleRequest,
    NewUserRequest,
    PasswordRequest,
    RoleReplacement,
    UserReplacement,
)
from shared.administration.openapi.schemas import (
    BOOLEAN,
    INTEGER,
    STRING,
    TIME,
    Schema,
    error_schema,
    list_of,
    object_of,
    properties,
)

_UUID: Schema = {**STRING, "format": "uuid"}
_NAMES: Schema = {"type": "array", "items": STRING}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_TIME_OR_NULL: Schema = {**_TEXT_OR_NULL, "format": "date-time"}


def schemas() -> Schema:
    """Every schema by its name."""
    user: Schema = {
        "sub": _UUID,
        "username": STRING,
        "is_disabled": BOOLEAN,
        "created_at": _TIME_OR_NULL,
        "groups": _NAMES,
        "effective_groups": {**_NAMES, "description": "with the groups that these are in"},
        "roles": _NAMES,
        "effective_roles": {**_NAMES, "description": "with those of the user's groups"},
        "claims": {"type": "object"},
    }
    of_one: Schema = {
        "recovery_codes": {**INTEGER, "description": "how many are left; not in lists"},
        "held_until": {
            **_TIME_OR_NULL,
            "description": "the end of the hold after a recovery; not in lists",
        },
    }
    group: Schema = {
        "name": STRING,
        "scopes": _NAMES,
        "effective_scopes": {**_NAMES, "description": "with those of the groups that it is in"},
        "groups": {**_NAMES, "description": "the groups that are members of it"},
        "parents": {**_NAMES, "description": "the groups that it is a member of"},
        "requires_second_factor": BOOLEAN,
        "member_count": INTEGER,
        "effective_member_count": {**INTEGER, "description": "with the members of groups in it"},
        "created_at": TIME,
    }
    role: Schema = {
        "name": STRING,
        "groups": {**_NAMES, "description": "the groups that have it"},
        "user_count": {**INTEGER, "description": "users who have it by themselves"},
        "effective_user_count": {**INTEGER, "description": "with those in these groups"},
        "created_at": TIME,
    }
    session: Schema = {
        "sid": _UUID,
        "sub": _UUID,
        "created_at": TIME,
        "last_used_at": _TIME_OR_NULL,
        "expires_at": TIME,
        "address": _TEXT_OR_NULL,
        "user_agent": _TEXT_OR_NULL,
    }
    grant: Schema = {
        "grant_id": _UUID,
        "client_id": STRING,
        "sub": _UUID,
        "sid": _UUID,
        "scope": STRING,
        "is_offline": {**BOOLEAN, "description": "whether it outlives its session"},
        "created_at": TIME,
        "expires_at": TIME,
    }
    once = {**STRING, "description": "the generated password, shown once"}
    return {
        "NewUserRequest": object_of(properties(NewUserRequest), "username"),
        "UserReplacement": object_of(properties(UserReplacement), "username"),
        "User": object_of({**user, **of_one}, *user),
        "Users": list_of("users", "User"),
        "PasswordRequest": object_of(properties(PasswordRequest)),
        "SetPassword": object_of({"sub": _UUID, "password": once}, "sub"),
        "RecoveryLink": object_of({"sub": _UUID, "link": STRING, "expires_at": TIME}, "sub", "link"),
        "NewGroupRequest": object_of(properties(NewGroupRequest), "name"),
        "GroupReplacement": object_of(properties(GroupReplacement), "name"),
        "Group": object_of(group, *group),
        "Groups": list_of("groups", "Group"),
        "NewRoleRequest": object_of(properties(NewRoleRequest), "name"),
        "RoleReplacement": object_of(properties(RoleReplacement), "name"),
        "Role": object_of(role, *role),
        "Roles": list_of("roles", "Role"),
        "Session": object_of(session, *session),
        "Sessions": list_of("sessions", "Session"),
        "Grant": object_of(grant, *grant),
        "Grants": list_of("grants", "Grant"),
        "Error": error_schema(),
    }
