"""The features that this server supports: each list once, for the metadata and for the checks."""

RESPONSE_MODES = (
    "query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt",
)  # fmt: skip
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"  # RFC 8628 §3.4
GRANT_TYPES = ("authorization_code", "client_credentials", "refresh_token", DEVICE_CODE)
SUBJECT_TYPES = ("public", "pairwise")
CODE_CHALLENGE_METHODS = ("S256",)
PROMPT_VALUES = ("none", "login", "consent", "select_account")
CREATE = "create"  # if self-registration is enabled: Initiating User Registration via OpenID Connect 1.0 §4

TOKEN_ENDPOINT_AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)
PUBLIC_KEY_ALGORITHMS = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    "EdDSA",
)
REQUEST_OBJECT_ALGORITHMS = PUBLIC_KEY_ALGORITHMS
UNSIGNED = "none"
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")
CLIENT_ASSERTION_ALGORITHMS = (*PUBLIC_KEY_ALGORITHMS, *SECRET_ALGORITHMS)


def prompt_values(*, may_sign_up: bool) -> tuple[str, ...]:
    """The values of `prompt` that have an effect."""
    return (*PROMPT_VALUES, CREATE) if may_sign_up else PROMPT_VALUES


def assertion_algorithms(token_endpoint_auth_method: str) -> tuple[str, ...]:
    """The algorithms that may sign a client assertion, by the client's registered method."""
    match token_endpoint_auth_method:
        case "private_key_jwt":
            return PUBLIC_KEY_ALGORITHMS
        case "client_secret_jwt":
            return SECRET_ALGORITHMS
    return CLIENT_ASSERTION_ALGORITHMS


GROUPS = "groups"
"""A scope and the claim that it releases: the names of the user's groups. No specification defines it."""

ROLES = "roles"
"""As GROUPS, for the roles that the user has. Cells has the claim too."""

MEMBERSHIPS = (GROUPS, ROLES)
"""Claims that come from the groups and roles of the user and from nothing else."""

SCOPE_CLAIMS = {
    "profile": (
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "updated_at",
    ),
    "email": ("email", "email_verified"),
    "address": ("address",),
    "phone": ("phone_number", "phone_number_verified"),
    GROUPS: (GROUPS,),
    ROLES: (ROLES,),
    "pydio": (ROLES, "groupPath", "profile", "displayName", "authSource"),
}
"""The claims that a scope releases: OpenID Connect Core 1.0 §5.4, GROUPS, ROLES, and Cells' marker scope."""

MEMBERSHIP_SCOPES = tuple(
    scope for scope, claims in SCOPE_CLAIMS.items() if not set(MEMBERSHIPS).isdisjoint(claims)
)
"""The scopes that release a claim of MEMBERSHIPS."""

SCOPES = ("openid", *SCOPE_CLAIMS, "offline_access", "offline")

SERVER_CLAIMS = frozenset(
    {
        *("sub", "iss", "aud", "exp", "iat", "nbf", "jti", "azp", "auth_time", "nonce", "acr", "amr", "sid"),
        *("at_hash", "c_hash", "s_hash", "cnf", "events"),
    }
)
"""Claims that only the server sets: neither a user's record nor a mapping may contain them."""

CLAIMS = (
    "sub",
    "iss",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    *dict.fromkeys(claim for claims in SCOPE_CLAIMS.values() for claim in claims),
)
