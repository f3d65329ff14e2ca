"""A registered client, and the declaration of client metadata. Pure.

Each field annotated with a `Member` is client metadata; to add a member, add such a field. The declaration
determines the validation and schemas (`models`), the JSON that is stored, sent and read (`members`), the
defaults of each profile (`profiles`), the rule for the value (`faults`) and, for operators' members, a row of
the table in deploy/README.md, which a test compares.

Names and meanings: RFC 7591 §2, OpenID Connect Registration 1.0 §2, RP-Initiated Logout 1.0 §3.1,
Back-Channel Logout 1.0 §2.2, Front-Channel Logout 1.0 §2, RFC 9101 §10.5, RFC 9126 §6, RFC 9701 §6, JARM §3.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated

from shared.model import Json, Scope
from shared.oauth.client.metadata.declaration import Reader, anyone, operators, operators_lifetime, read_only
from shared.oauth.client.metadata.kinds import (
    ACCESS_TOKEN_FORMAT,
    APPLICATION_TYPE,
    ASSERTION_AUDIENCE,
    CLAIM_SOURCES,
    DISPLAY_NAME,
    FLAG,
    IS_SET,
    JWK_SET,
    MAX_AGE,
    NAME,
    NAMES,
    NAMES_OR_SCOPE,
    PROFILE,
    SCOPE,
    SUBJECT_TYPE,
    TEXT,
    TEXTS,
    TIMESTAMP,
    URI,
    URIS,
    ClaimSource,
)
from shared.oauth.client.registered_uri import web_uri_fault

_DAY, _YEAR = timedelta(days=1), timedelta(days=365)
_CELLS_CLAIMS = ["name", "email", "authSource", "sid", "rat"]


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client secret of 256 random bits, as its SHA-256.

    `value` is set only for clients that prove the secret without sending it; it is encrypted at rest.
    """

    hash: bytes
    expires_at: datetime | None = None
    value: str | None = field(default=None, repr=False)

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client: its metadata, its credentials and its state."""

    client_id: str

    # fmt: off
    client_name: Annotated[str, anyone(DISPLAY_NAME, "the name shown to users")] = ""
    application_type: Annotated[str, anyone(
        APPLICATION_TYPE, "the kind of application, which decides its redirect URIs",
        default_text="native for a public client that redirects to the user's device, else web")] = "web"
    redirect_uris: Annotated[tuple[str, ...], anyone(URIS, "the redirect URIs, compared exactly")] = ()
    post_logout_redirect_uris: Annotated[tuple[str, ...], anyone(
        URIS, "the URIs that a logout may return to, compared exactly")] = ()
    grant_types: Annotated[tuple[str, ...], anyone(
        NAMES, "the grant types that the client may use",
        profiles={"mcp": ["authorization_code", "refresh_token"]},
        default_text="those that the response_types need")] = ("authorization_code",)
    response_types: Annotated[tuple[str, ...], anyone(
        TEXTS, "the response types that the client may use",
        default_text="code where the grant_types allow it")] = ("code",)
    scope: Annotated[Scope, anyone(
        SCOPE, "the scopes that the client may ask for, separated by spaces",
        default_text="openid profile email address phone, offline_access with refresh_token")] = ("openid",)
    token_endpoint_auth_method: Annotated[str, anyone(
        NAME, "how the client authenticates",
        profiles={"fapi2": "private_key_jwt", "mcp": "none"})] = "client_secret_basic"
    token_endpoint_auth_signing_alg: Annotated[str | None, anyone(
        NAME, "the algorithm of client assertions")] = None
    jwks: Annotated[Json | None, anyone(JWK_SET, "the client's public keys")] = None
    jwks_uri: Annotated[str | None, anyone(URI, "where the client publishes its public keys")] = None
    id_token_signed_response_alg: Annotated[str, anyone(
        NAME, "the algorithm that signs ID tokens", profiles={"fapi2": "ES256"})] = "RS256"
    id_token_encrypted_response_alg: Annotated[str | None, anyone(
        NAME, "the key management of encrypted ID tokens")] = None
    id_token_encrypted_response_enc: Annotated[str | None, anyone(
        NAME, "the content encryption of ID tokens")] = None
    userinfo_signed_response_alg: Annotated[str | None, anyone(
        NAME, "the algorithm that signs userinfo responses")] = None
    userinfo_encrypted_response_alg: Annotated[str | None, anyone(
        NAME, "the key management of encrypted userinfo responses")] = None
    userinfo_encrypted_response_enc: Annotated[str | None, anyone(
        NAME, "the content encryption of userinfo responses")] = None
    introspection_signed_response_alg: Annotated[str, anyone(
        NAME, "the algorithm that signs introspection responses")] = "RS256"
    introspection_encrypted_response_alg: Annotated[str | None, anyone(
        NAME, "the key management of encrypted introspection responses")] = None
    introspection_encrypted_response_enc: Annotated[str | None, anyone(
        NAME, "the content encryption of introspection responses")] = None
    authorization_signed_response_alg: Annotated[str, anyone(
        NAME, "the algorithm that signs authorization responses")] = "RS256"
    request_object_signing_alg: Annotated[str | None, anyone(
        NAME, "the only algorithm accepted of request objects")] = None
    request_uris: Annotated[tuple[str, ...], anyone(URIS, "where the client publishes request objects")] = ()
    require_signed_request_object: Annotated[bool, anyone(
        FLAG, "whether every authorization request must be a signed request object")] = False
    require_pushed_authorization_requests: Annotated[bool, anyone(
        FLAG, "whether every authorization request must be pushed", profiles={"fapi2": True})] = False
    subject_type: Annotated[str, anyone(
        SUBJECT_TYPE, "whether the client gets the public sub of a user or one of its own sector")] = "public"
    sector_identifier_uri: Annotated[str | None, anyone(
        URI, "the list of redirect URIs whose clients share pairwise subs")] = None
    default_max_age: Annotated[int | None, anyone(MAX_AGE, "the max_age of requests without one")] = None
    require_auth_time: Annotated[bool, anyone(FLAG, "whether ID tokens always contain auth_time")] = False
    default_acr_values: Annotated[tuple[str, ...], anyone(
        NAMES, "the acr_values of requests without any")] = ()
    initiate_login_uri: Annotated[str | None, anyone(
        URI, "where a third party starts a login", rule=web_uri_fault)] = None
    backchannel_logout_uri: Annotated[str | None, anyone(URI, "where logout tokens are posted")] = None
    backchannel_logout_session_required: Annotated[bool, anyone(
        FLAG, "whether logout tokens must contain sid")] = False
    frontchannel_logout_uri: Annotated[str | None, anyone(
        URI, "the page that a logout loads in a frame")] = None
    frontchannel_logout_session_required: Annotated[bool, anyone(
        FLAG, "whether the frame's URI must contain iss and sid")] = False
    client_uri: Annotated[str | None, anyone(URI, "the client's home page", rule=web_uri_fault)] = None
    logo_uri: Annotated[str | None, anyone(URI, "the client's logo", rule=web_uri_fault)] = None
    policy_uri: Annotated[str | None, anyone(URI, "the client's privacy policy", rule=web_uri_fault)] = None
    tos_uri: Annotated[str | None, anyone(URI, "the client's terms of service", rule=web_uri_fault)] = None
    contacts: Annotated[tuple[str, ...], anyone(
        TEXTS, "the people responsible, usually e-mail addresses")] = ()
    software_id: Annotated[str | None, anyone(TEXT, "the identifier of the client's software")] = None
    software_version: Annotated[str | None, anyone(TEXT, "the version of the client's software")] = None

    profile: Annotated[str, operators(
        PROFILE, "a set of defaults for other members, which explicit values override",
        example="fapi2")] = "default"
    allow_client_secret_post: Annotated[bool, operators(
        FLAG, "whether a client with `client_secret_basic` may also use `client_secret_post`",
        default_text="`true` where an operator adds a client without a token_endpoint_auth_method, "
        "else `false`",
        example=False)] = False
    allow_insecure_redirects: Annotated[bool, operators(
        FLAG, "whether its redirect URIs may be http on a private network: for test networks",
        example=True)] = False
    require_pkce: Annotated[bool, operators(
        FLAG, "whether authorization requests need a code_challenge (RFC 7636)", if_public=True,
        profiles={"cells-legacy": False, "oauth-2.1": True, "mcp": True, "fapi2": True},
        example=True)] = False
    skip_consent: Annotated[bool, operators(
        FLAG, "whether users are never asked for consent: for first-party clients",
        example=True)] = False
    allowed_groups: Annotated[tuple[str, ...], operators(
        NAMES, "the groups whose members may sign in to it, judged at each refresh, too; none: everybody",
        example=["staff"])] = ()
    remember_consent: Annotated[bool, operators(
        FLAG, "whether consent is asked for only once", if_public=False,
        example=False)] = True
    access_token_format: Annotated[str, operators(
        ACCESS_TOKEN_FORMAT, "the format of access tokens; `jwt` is that of RFC 9068",
        example="jwt")] = "opaque"
    audience: Annotated[tuple[str, ...], operators(
        NAMES, "the audiences of its access tokens, beside the issuer",
        example=["https://api.example.org"])] = ()
    resource_identifiers: Annotated[tuple[str, ...], operators(
        NAMES, "the audiences that it serves as a resource server: it may introspect tokens for them",
        example=["https://api.example.org"])] = ()
    allow_personal_access_tokens: Annotated[bool, operators(
        FLAG, "whether it may introspect the personal access tokens of all users, which it takes as bearer "
        "tokens or passwords",
        example=True)] = False
    allow_administration: Annotated[bool, operators(
        FLAG, "whether the administration accepts the access tokens that administrators grant it; its scope "
        "must have theirs",
        example=True)] = False
    claims_mapping: Annotated[Mapping[str, ClaimSource], operators(
        CLAIM_SOURCES, "what each of these claims takes its value from: an attribute of the user, `groups`, "
        "`roles`, or a constant in an object",
        profiles={"cells-legacy": {"name": "username"}},
        example={"nickname": "username", "zoneinfo": {"constant": "Europe/Paris"}},
    )] = field(default_factory=dict)
    id_token_claims: Annotated[tuple[str, ...], operators(
        NAMES_OR_SCOPE, "the claims that its ID tokens always contain; `scope`: those of the granted scopes "
        "profile, email, groups and roles, in ID tokens from the token endpoint",
        default_text='`["scope"]` where an operator adds a client of the profile default with the '
        "response_type code, else `[]`", profiles={"cells-legacy": _CELLS_CLAIMS},
        example=["scope", "department"])] = ()
    access_token_lifetime: Annotated[timedelta | None, operators_lifetime(
        "the lifetime of access tokens, in seconds", _DAY,
        example=300)] = None
    id_token_lifetime: Annotated[timedelta | None, operators_lifetime(
        "the lifetime of ID tokens, in seconds", _DAY,
        example=300)] = None
    authorization_code_lifetime: Annotated[timedelta | None, operators_lifetime(
        "the lifetime of authorization codes, in seconds", timedelta(minutes=10),
        example=30)] = None
    refresh_token_lifetime: Annotated[timedelta | None, operators_lifetime(
        "how long refresh tokens work after the authorization, in seconds", _YEAR,
        example=2592000)] = None
    refresh_token_idle_lifetime: Annotated[timedelta | None, operators_lifetime(
        "how long a refresh token works unused, in seconds", _YEAR,
        example=604800)] = None
    refresh_token_rotation: Annotated[bool, operators(
        FLAG, "whether each use of a refresh token replaces it", profiles={"fapi2": False},
        example=False)] = True
    allowed_cors_origins: Annotated[tuple[str, ...] | None, operators(
        NAMES, "the web origins whose scripts may use the client",
        default_text="any origin, without cookies",
        example=["https://app.example.org"])] = None
    assertion_audience: Annotated[str, operators(
        ASSERTION_AUDIENCE, "the audience of its client assertions: `issuer` excludes endpoint URIs",
        profiles={"fapi2": "issuer"},
        example="issuer")] = "issuer_or_endpoint"

    secrets: tuple[ClientSecret, ...] = ()
    registration_access_token_hash: bytes | None = None
    is_dynamically_registered: Annotated[bool, read_only(
        FLAG, "whether the client registered itself", None, Reader.OPERATORS)] = False
    disabled_at: Annotated[datetime | None, read_only(
        IS_SET, "whether an operator disabled the client", "is_disabled", Reader.OPERATORS)] = None
    created_at: Annotated[datetime | None, read_only(
        TIMESTAMP, "when the client was registered, in seconds since 1970", "client_id_issued_at")] = None
    # fmt: on
    version: int = 1
    epoch: int = 0  # compared with the epoch of everything issued to the client
    document_hash: bytes | None = None
    """Of a client that nobody registered: the digest of what its document says and users agree to."""

    @property
    def is_self_described(self) -> bool:
        """Whether the client says itself what it is: it registered itself, or publishes a document."""
        return self.is_dynamically_registered or self.document_hash is not None

    @property
    def is_public(self) -> bool:
        """Whether the client cannot keep a secret: RFC 6749 §2.1."""
        return self.token_endpoint_auth_method == "none"
