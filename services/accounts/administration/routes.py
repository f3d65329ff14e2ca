"""The routes of the administration, each with the scope that it needs."""

from aiohttp import web

from services.accounts.administration.grants import list_grants, read_grant, revoke
from services.accounts.administration.groups import (
    change_group,
    create_group,
    join,
    leave,
    list_groups,
    nest,
    read_group,
    remove_group,
    unnest,
)
from services.accounts.administration.openapi.document import document
from services.accounts.administration.recovery import make_link
from services.accounts.administration.roles import (
    change_role,
    create_role,
    give,
    give_to_group,
    list_roles,
    read_role,
    remove_role,
    take,
    take_from_group,
)
from services.accounts.administration.sessions import (
    end_one_session,
    end_sessions_of_user,
    list_sessions,
    read_session,
)
from services.accounts.administration.users import (
    change_user,
    create_user,
    delete_user,
    disable_user,
    enable_user,
    list_users,
    log_user_out,
    read_user,
    set_user_password,
)
from shared.administration.routes import AdminRoute, mount_routes
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
from shared.paths import (
    ADMIN_ACCOUNTS_OPENAPI,
    ADMIN_GRANT,
    ADMIN_GRANTS,
    ADMIN_GROUP,
    ADMIN_GROUP_MEMBER,
    ADMIN_GROUPS,
    ADMIN_NESTED_GROUP,
    ADMIN_ROLE,
    ADMIN_ROLE_GROUP,
    ADMIN_ROLE_USER,
    ADMIN_ROLES,
    ADMIN_SESSION,
    ADMIN_SESSIONS,
    ADMIN_USER,
    ADMIN_USER_DISABLE,
    ADMIN_USER_ENABLE,
    ADMIN_USER_LOGOUT,
    ADMIN_USER_PASSWORD,
    ADMIN_USER_RECOVERY,
    ADMIN_USERS,
)

_ROUTES = (
    AdminRoute("GET", ADMIN_USERS, READ_USERS, list_users),
    AdminRoute("POST", ADMIN_USERS, WRITE_USERS, create_user),
    AdminRoute("GET", ADMIN_USER, READ_USERS, read_user),
    AdminRoute("PUT", ADMIN_USER, WRITE_USERS, change_user),
    AdminRoute("DELETE", ADMIN_USER, WRITE_USERS, delete_user),
    AdminRoute("POST", ADMIN_USER_DISABLE, WRITE_USERS, disable_user),
    AdminRoute("POST", ADMIN_USER_ENABLE, WRITE_USERS, enable_user),
    AdminRoute("POST", ADMIN_USER_PASSWORD, WRITE_USERS, set_user_password),
    AdminRoute("POST", ADMIN_USER_RECOVERY, WRITE_USERS, make_link),
    AdminRoute("POST", ADMIN_USER_LOGOUT, WRITE_SESSIONS, log_user_out),
    AdminRoute("GET", ADMIN_GROUPS, READ_GROUPS, list_groups),
    AdminRoute("POST", ADMIN_GROUPS, WRITE_GROUPS, create_group),
    AdminRoute("GET", ADMIN_GROUP, READ_GROUPS, read_group),
    AdminRoute("PUT", ADMIN_GROUP, WRITE_GROUPS, change_group),
    AdminRoute("DELETE", ADMIN_GROUP, WRITE_GROUPS, remove_group),
    AdminRoute("PUT", ADMIN_GROUP_MEMBER, WRITE_GROUPS, join),
    AdminRoute("DELETE", ADMIN_GROUP_MEMBER, WRITE_GROUPS, leave),
    AdminRoute("PUT", ADMIN_NESTED_GROUP, WRITE_GROUPS, nest),
    AdminRoute("DELETE", ADMIN_NESTED_GROUP, WRITE_GROUPS, unnest),
    AdminRoute("GET", ADMIN_ROLES, READ_GROUPS, list_roles),
    AdminRoute("POST", ADMIN_ROLES, WRITE_GROUPS, create_role),
    AdminRoute("GET", ADMIN_ROLE, READ_GROUPS, read_role),
    AdminRoute("PUT", ADMIN_ROLE, WRITE_GROUPS, change_role),
    AdminRoute("DELETE", ADMIN_ROLE, WRITE_GROUPS, remove_role),
    AdminRoute("PUT", ADMIN_ROLE_USER, WRITE_GROUPS, give),
    AdminRoute("DELETE", ADMIN_ROLE_USER, WRITE_GROUPS, take),
    AdminRoute("PUT", ADMIN_ROLE_GROUP, WRITE_GROUPS, give_to_group),
    AdminRoute("DELETE", ADMIN_ROLE_GROUP, WRITE_GROUPS, take_from_group),
    AdminRoute("GET", ADMIN_SESSIONS, READ_SESSIONS, list_sessions),
    AdminRoute("DELETE", ADMIN_SESSIONS, WRITE_SESSIONS, end_sessions_of_user),
    AdminRoute("GET", ADMIN_SESSION, READ_SESSIONS, read_session),
    AdminRoute("DELETE", ADMIN_SESSION, WRITE_SESSIONS, end_one_session),
    AdminRoute("GET", ADMIN_GRANTS, READ_GRANTS, list_grants),
    AdminRoute("GET", ADMIN_GRANT, READ_GRANTS, read_grant),
    AdminRoute("DELETE", ADMIN_GRANT, WRITE_GRANTS, revoke),
)


def mount_administration(app: web.Application) -> None:
    """Add the routes."""
    mount_routes(app, _ROUTES, ADMIN_ACCOUNTS_OPENAPI, document)
