"""Client metadata under their wire names, and the Client that they make.

Names and meanings: RFC 7591 §2, OpenID Connect Registration 1.0 §2, OpenID Connect RP-Initiated Logout 1.0
§3.1, Back-Channel Logout 1.0 §2.2, Front-Channel Logout 1.0 §2, and members of our own, for operators.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.model import Json
from shared.oauth.client.record import Client

MAX_URIS = 100
MAX_LIST = 50

# What a person is shown reads as it is written: no controls, and nothing that turns its direction around.
_SHOWN = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$"
Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
_SCOPE_TOKEN = r"[\x21\x23-\x5b\x5d-\x7e]+"  # RFC 6749 §3.3
ScopeText = Annotated[
    str, StringConstraints(max_length=2000, pattern=rf"^(?:{_SCOPE_TOKEN}(?: {_SCOPE_TOKEN})*)?$")
]
Uris = Annotated[list[str], Field(max_length=MAX_URIS)]
Names = Annotated[list[Name], Field(max_length=MAX_LIST)]
Texts = Annotated[list[Text], Field(max_length=MAX_LIST)]
Seconds = Annotated[int, Field(ge=1)]


def renamed_audience(value: object) -> object:
    """`endpoint` is the former name of `issuer_or_endpoint`: files and rows that have it stay readable."""
    return "issuer_or_endpoint" if value == "endpoint" else value


class StandardMetadata(BaseModel):
    """What anyone who may register a client may say of it."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    client_name: Annotated[str, StringConstraints(max_length=200, pattern=_SHOWN)] = ""
    application_type: Literal["web", "native"] = "web"
    redirect_uris: Uris = []
    post_logout_redirect_uris: Uris = []
    grant_types: Names = []
    response_types: Texts = []
    scope: ScopeText = ""
    token_endpoint_auth_method: Name = "client_secret_basic"
    token_endpoint_auth_signing_alg: Name | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    id_token_signed_response_alg: Name = "RS256"
    id_token_encrypted_response_alg: Name | None = None
    id_token_encrypted_response_enc: Name | None = None
    userinfo_signed_response_alg: Name | None = None
    userinfo_encrypted_response_alg: Name | None = None
    userinfo_encrypted_response_enc: Name | None = None
    introspection_signed_response_alg: Name = "RS256"
    introspection_encrypted_response_alg: Name | None = None
    introspection_encrypted_response_enc: Name | None = None
    authorization_signed_response_alg: Name = "RS256"
    request_object_signing_alg: Name | None = None
    request_uris: Uris = []
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    subject_type: Literal["public", "pairwise"] = "public"
    sector_identifier_uri: str | None = None
    default_max_age: Annotated[int, Field(ge=0, le=2**31)] | None = None
    require_auth_time: bool = False
    default_acr_values: Names = []
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: Texts = []
    software_id: Text | None = None
    software_version: Text | None = None


class OwnMetadata(BaseModel):
    """What operators alone may say."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    profile: Literal["default", "cells-legacy", "fapi2"] = "default"
    require_pkce: bool = False
    skip_consent: bool = False
    remember_consent: bool = True
    access_token_format: Literal["opaque", "jwt"] = "opaque"
    audience: Names = []
    resource_identifiers: Names = []
    claims_mapping: Annotated[dict[Name, Name], Field(max_length=MAX_LIST)] = {}
    id_token_claims: Names = []
    access_token_lifetime: Seconds | None = None
    id_token_lifetime: Seconds | None = None
    authorization_code_lifetime: Seconds | None = None
    refresh_token_lifetime: Seconds | None = None
    refresh_token_idle_lifetime: Seconds | None = None
    refresh_token_rotation: bool = True
    allowed_cors_origins: Names | None = None
    assertion_audience: Annotated[
        Literal["issuer_or_endpoint", "issuer"], BeforeValidator(renamed_audience)
    ] = "issuer_or_endpoint"


class ClientCredentials(BaseModel):
    """What operators may choose instead of having it made."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    client_id: Name | None = None
    client_secret: Name | None = None


STANDARD_MEMBERS = frozenset(StandardMetadata.model_fields)
OWN_MEMBERS = frozenset(OwnMetadata.model_fields)
_MEMBERS = tuple(
    field.name for field in fields(Client) if field.name in STANDARD_MEMBERS or field.name in OWN_MEMBERS
)


def _to_wire(name: str, value: Any) -> Any:
    match value:
        case timedelta():
            return int(value.total_seconds())
        case tuple() if name == "scope":
            return " ".join(value)
        case tuple():
            return list(value)
        case Mapping():
            return dict(value)
    return value


def to_metadata(client: Client) -> dict[str, Any]:
    """The effective metadata of a client: every member that has a value. No credential is among them."""
    values = {name: _to_wire(name, getattr(client, name)) for name in _MEMBERS}
    return {name: value for name, value in values.items() if value is not None}


def _from_wire(name: str, value: Any) -> Any:
    if name.endswith("_lifetime"):
        return timedelta(seconds=value)
    if name == "scope":
        return tuple(value.split())
    if name == "assertion_audience":
        return renamed_audience(value)
    return tuple(value) if isinstance(value, list) else value


def from_metadata(client_id: str, metadata: Json, **record: Any) -> Client:
    """The client of effective metadata; *record* holds the fields that are not metadata."""
    values = {name: _from_wire(name, metadata[name]) for name in _MEMBERS if metadata.get(name) is not None}
    return Client(client_id=client_id, **values, **record)
