"""Every public path and the service that answers it.

The one source for the services' routes, the members of the provider metadata, and the reverse proxy's
configuration: a test holds the four against each other.
"""

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

PREFIX = "/oidc"
"""The path of every issuer. The reverse proxy keeps it: no service sees a path without it."""


class Service(StrEnum):
    """The services, by the names that operators use."""

    DISCOVERY = "discovery"
    AUTHORIZATION = "authorization"
    TOKEN = "token"
    CLIENT_REGISTRY = "client-registry"
    ACCOUNTS = "accounts"


class Group(StrEnum):
    """Where a proxy may serve a path."""

    PUBLIC = "public"
    ROOT_ALIAS = "root alias"  # outside PREFIX: served when OSTIARY_ROOT_ALIASES is on
    START_PAGE = "start page"  # `ostiary run` only
    ADMINISTRATION = "administration"  # an internal listener only


@dataclass(frozen=True, slots=True)
class Path:
    """One path: `{name}` stands for one segment, as in aiohttp's routes."""

    path: str
    service: Service
    member: str | None = None  # the member of the provider metadata that announces it
    group: Group = Group.PUBLIC
    is_cacheable: bool = False  # by a shared cache, for five seconds

    def at(self, issuer: str) -> str:
        """The absolute URI of a path under PREFIX, given the issuer."""
        return issuer + self.path.removeprefix(PREFIX)

    def of(self, **values: str) -> str:
        """The path with values for its parameters."""
        path = self.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        return path

    def for_client(self, client_id: str) -> str:
        """The path of one client, where it has that parameter."""
        return self.of(client_id=client_id)

    def for_resource(self, name: str) -> str:
        """The path of one protected resource, where it has that parameter."""
        return self.of(resource=name)

    def __str__(self) -> str:
        return self.path


def _discovery(path: str, member: str | None = None, group: Group = Group.PUBLIC) -> Path:
    return Path(path, Service.DISCOVERY, member, group, is_cacheable=True)


def _authorization(path: str, member: str | None = None, group: Group = Group.PUBLIC) -> Path:
    return Path(path, Service.AUTHORIZATION, member, group)


def _token(path: str, member: str | None = None) -> Path:
    return Path(path, Service.TOKEN, member)


OPENID_CONFIGURATION = _discovery("/oidc/.well-known/openid-configuration")
JWKS = _discovery("/oidc/.well-known/jwks.json", "jwks_uri")
OAUTH_AUTHORIZATION_SERVER = _discovery(
    "/.well-known/oauth-authorization-server/oidc", group=Group.ROOT_ALIAS
)  # RFC 8414 §3.1
OAUTH_AUTHORIZATION_SERVER_BELOW = _discovery(
    "/oidc/.well-known/oauth-authorization-server"
)  # where clients look that only append
OPENID_CONFIGURATION_INSERTED = _discovery(
    "/.well-known/openid-configuration/oidc", group=Group.ROOT_ALIAS
)  # where clients look that insert as RFC 8414 does
USERINFO_METADATA = _discovery("/.well-known/oauth-protected-resource/oidc/userinfo", group=Group.ROOT_ALIAS)
ADMINISTRATION_METADATA = _discovery(
    "/.well-known/oauth-protected-resource/oidc/admin", group=Group.ROOT_ALIAS
)  # RFC 9728 §3.1: inserted before the path of the resource
WEBFINGER = Path("/.well-known/webfinger", Service.DISCOVERY, group=Group.ROOT_ALIAS)
PASSKEY_ENDPOINTS = _discovery("/.well-known/passkey-endpoints", group=Group.ROOT_ALIAS)
RELATED_ORIGINS = _discovery("/.well-known/webauthn", group=Group.ROOT_ALIAS)  # WebAuthn Level 3 §5.11.1
CHANGE_PASSWORD = Path("/.well-known/change-password", Service.DISCOVERY, group=Group.ROOT_ALIAS)

AUTHORIZATION = _authorization("/oidc/oauth2/auth", "authorization_endpoint")
PUSHED_AUTHORIZATION_REQUEST = _authorization("/oidc/oauth2/par", "pushed_authorization_request_endpoint")
LOGIN = _authorization("/oidc/login")
SECOND_FACTOR = _authorization("/oidc/login/factor")
ADD_SECOND_FACTOR = _authorization("/oidc/login/factor/add")
REPLACE_PASSWORD = _authorization("/oidc/login/password")
SELECT_ACCOUNT = _authorization("/oidc/login/account")
SIGN_UP = _authorization("/oidc/signup")
CONSENT = _authorization("/oidc/consent")
END_SESSION = _authorization("/oidc/oauth2/sessions/logout", "end_session_endpoint")
CHECK_SESSION = _authorization("/oidc/oauth2/sessions/check", "check_session_iframe")
LOGOUT = _authorization("/oidc/logout")
LOGOUT_DONE = _authorization("/oidc/logout/done")
OUT_OF_BAND = _authorization("/oidc/oauth2/oob")
OUT_OF_BAND_ALIAS = _authorization("/oauth2/oob", group=Group.ROOT_ALIAS)
CLIENT_LOGO = _authorization("/oidc/logo")
STATIC = _authorization("/oidc/static/{version}/{file}")
START = _authorization("/oidc", group=Group.START_PAGE)
START_SLASH = _authorization("/oidc/", group=Group.START_PAGE)
START_ALIAS = _authorization("/", group=Group.START_PAGE)
SENT_MAILS = _authorization("/oidc/mails", group=Group.START_PAGE)

DEVICE = _authorization("/oidc/device")

TOKEN = _token("/oidc/oauth2/token", "token_endpoint")
REVOCATION = _token("/oidc/oauth2/revoke", "revocation_endpoint")
INTROSPECTION = _token("/oidc/oauth2/introspect", "introspection_endpoint")
USERINFO = _token("/oidc/userinfo", "userinfo_endpoint")
DEVICE_AUTHORIZATION = _token("/oidc/oauth2/device/auth", "device_authorization_endpoint")

REGISTRATION = Path("/oidc/oauth2/register", Service.CLIENT_REGISTRY, "registration_endpoint")
CLIENT_CONFIGURATION = Path("/oidc/oauth2/register/{client_id}", Service.CLIENT_REGISTRY)


def _administration(path: str, service: Service = Service.CLIENT_REGISTRY) -> Path:
    return Path(path, service, group=Group.ADMINISTRATION)


def _account(path: str) -> Path:
    return Path(path, Service.ACCOUNTS)


ACCOUNT = _account("/oidc/account")
ACCOUNT_PROFILE = _account("/oidc/account/profile")
ACCOUNT_PASSWORD = _account("/oidc/account/password")
ACCOUNT_PASSKEYS = _account("/oidc/account/passkeys")
ACCOUNT_SECOND_FACTOR = _account("/oidc/account/factor")
ACCOUNT_SESSIONS = _account("/oidc/account/sessions")
ACCOUNT_CONNECTIONS = _account("/oidc/account/applications")
ACCOUNT_TOKENS = _account("/oidc/account/tokens")
ACCOUNT_ACTIVITY = _account("/oidc/account/activity")
ACCOUNT_DATA = _account("/oidc/account/data")
ACCOUNT_EMAIL = _account("/oidc/account/email")
ACCOUNT_FORGOTTEN = _account("/oidc/account/forgotten")
ACCOUNT_RECOVERY = _account("/oidc/account/recovery")

ACCOUNT_PAGES = (
    ACCOUNT,
    ACCOUNT_PROFILE,
    ACCOUNT_PASSWORD,
    ACCOUNT_PASSKEYS,
    ACCOUNT_SECOND_FACTOR,
    ACCOUNT_SESSIONS,
    ACCOUNT_CONNECTIONS,
    ACCOUNT_TOKENS,
    ACCOUNT_ACTIVITY,
    ACCOUNT_DATA,
    ACCOUNT_EMAIL,
)
"""The pages that users return to after they have signed in."""

ADMINISTRATION_PREFIX = "/oidc/admin"

ADMIN_CLIENTS = _administration("/oidc/admin/clients")
ADMIN_CLIENT = _administration("/oidc/admin/clients/{client_id}")
ADMIN_CLIENT_SECRET = _administration("/oidc/admin/clients/{client_id}/secret")
ADMIN_RESOURCES = _administration("/oidc/admin/resources")
ADMIN_RESOURCE = _administration("/oidc/admin/resources/{resource}")
ADMIN_INVITATIONS = _administration("/oidc/admin/invitations")
ADMIN_OPENAPI = _administration("/oidc/admin/openapi.json")

ADMIN_USERS = _administration("/oidc/admin/users", Service.ACCOUNTS)
ADMIN_USER = _administration("/oidc/admin/users/{sub}", Service.ACCOUNTS)
ADMIN_USER_PASSWORD = _administration("/oidc/admin/users/{sub}/password", Service.ACCOUNTS)
ADMIN_USER_DISABLE = _administration("/oidc/admin/users/{sub}/disable", Service.ACCOUNTS)
ADMIN_USER_ENABLE = _administration("/oidc/admin/users/{sub}/enable", Service.ACCOUNTS)
ADMIN_USER_RECOVERY = _administration("/oidc/admin/users/{sub}/recovery", Service.ACCOUNTS)
ADMIN_USER_LOGOUT = _administration("/oidc/admin/users/{sub}/logout", Service.ACCOUNTS)
ADMIN_GROUPS = _administration("/oidc/admin/groups", Service.ACCOUNTS)
ADMIN_GROUP = _administration("/oidc/admin/groups/{group}", Service.ACCOUNTS)
ADMIN_GROUP_MEMBER = _administration("/oidc/admin/groups/{group}/members/{sub}", Service.ACCOUNTS)
ADMIN_NESTED_GROUP = _administration("/oidc/admin/groups/{group}/groups/{member}", Service.ACCOUNTS)
ADMIN_ROLES = _administration("/oidc/admin/roles", Service.ACCOUNTS)
ADMIN_ROLE = _administration("/oidc/admin/roles/{role}", Service.ACCOUNTS)
ADMIN_ROLE_USER = _administration("/oidc/admin/roles/{role}/users/{sub}", Service.ACCOUNTS)
ADMIN_ROLE_GROUP = _administration("/oidc/admin/roles/{role}/groups/{group}", Service.ACCOUNTS)
ADMIN_SESSIONS = _administration("/oidc/admin/sessions", Service.ACCOUNTS)
ADMIN_SESSION = _administration("/oidc/admin/sessions/{sid}", Service.ACCOUNTS)
ADMIN_GRANTS = _administration("/oidc/admin/grants", Service.ACCOUNTS)
ADMIN_GRANT = _administration("/oidc/admin/grants/{grant_id}", Service.ACCOUNTS)
ADMIN_ACCOUNTS_OPENAPI = _administration("/oidc/admin/accounts/openapi.json", Service.ACCOUNTS)

PATHS: tuple[Path, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Path))
