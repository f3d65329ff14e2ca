"""A registered client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.model import Json, Scope


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """A client secret of 256 random bits, as its SHA-256.

    `value` is there only for clients that prove the secret without sending it; at rest it is encrypted.
    """

    hash: bytes
    expires_at: datetime | None = None
    value: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client. The names are those of RFC 7591, OpenID Connect Registration and RP metadata."""

    client_id: str
    client_name: str = ""
    application_type: str = "web"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] = ("code",)
    scope: Scope = ("openid",)
    token_endpoint_auth_method: str = "client_secret_basic"
    token_endpoint_auth_signing_alg: str | None = None
    jwks: Json | None = None
    jwks_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    introspection_signed_response_alg: str = "RS256"
    introspection_encrypted_response_alg: str | None = None
    introspection_encrypted_response_enc: str | None = None
    authorization_signed_response_alg: str = "RS256"
    request_object_signing_alg: str | None = None
    request_uris: tuple[str, ...] = ()
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    subject_type: str = "public"
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    software_id: str | None = None
    software_version: str | None = None

    profile: str = "default"
    require_pkce: bool = False
    skip_consent: bool = False
    remember_consent: bool = True
    access_token_format: str = "opaque"
    audience: tuple[str, ...] = ()
    resource_identifiers: tuple[str, ...] = ()
    claims_mapping: Mapping[str, str] = field(default_factory=dict)
    id_token_claims: tuple[str, ...] = ()
    access_token_lifetime: timedelta | None = None
    id_token_lifetime: timedelta | None = None
    authorization_code_lifetime: timedelta | None = None
    refresh_token_lifetime: timedelta | None = None
    refresh_token_idle_lifetime: timedelta | None = None
    refresh_token_rotation: bool = True
    allowed_cors_origins: tuple[str, ...] | None = None
    assertion_audience: str = "issuer_or_endpoint"

    secrets: tuple[ClientSecret, ...] = ()
    registration_access_token_hash: bytes | None = None
    is_dynamically_registered: bool = False
    disabled_at: datetime | None = None
    created_at: datetime | None = None
    version: int = 1
    epoch: int = 0  # compared with that of whatever the client was given

    @property
    def is_public(self) -> bool:
        """RFC 6749 §2.1: not able to keep a secret."""
        return self.token_endpoint_auth_method == "none"
