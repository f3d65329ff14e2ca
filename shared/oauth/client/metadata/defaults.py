"""Defaults of client metadata, from the profile and from other members. Pure."""

from typing import Any

from shared.model import Json
from shared.oauth.client.faults import grant_types_for
from shared.oauth.client.metadata.members import PUBLIC_DEFAULTS, from_metadata
from shared.oauth.client.metadata.profiles import PROFILES
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import is_loopback, is_private_use, uri_fault

_DEFAULT_SCOPE = "openid profile email address phone"
_EMPTY_IS_MISSING = ("grant_types", "scope")  # an empty list is useless for these, so it counts as missing


def complete(client_id: str, requested: Json, retained: Json, *, is_added: bool = False) -> Client:
    """The client with these valid members, with a default for each missing one.

    *requested* overrides *retained* (members that an operator has set), which overrides the profile's
    defaults. *is_added*: an operator adds the client.
    """
    requested = {name: value for name, value in requested.items() if value or name not in _EMPTY_IS_MISSING}
    profile = PROFILES[retained.get("profile") or requested.get("profile") or "default"]
    metadata: dict[str, Any] = {**profile, **retained, **requested}
    is_public = metadata.get("token_endpoint_auth_method") == "none"
    grant_types, response_types = _types(metadata)
    scope = _DEFAULT_SCOPE + (" offline_access" if "refresh_token" in grant_types else "")
    metadata = {
        "application_type": _application_type(metadata, is_public),
        **(PUBLIC_DEFAULTS if is_public else {}),
        **(_defaults_if_added(metadata, response_types) if is_added else {}),
        "scope": scope,
        **metadata,
        "grant_types": grant_types,
        "response_types": response_types,
    }
    return from_metadata(client_id, metadata)


def _defaults_if_added(metadata: Json, response_types: list[str]) -> dict[str, Any]:
    """Defaults that apply only when an operator adds the client.

    The record contains them, so they stay as they are when the client is changed.
    """
    is_default = metadata.get("profile", "default") == "default"
    return {
        "allow_client_secret_post": "token_endpoint_auth_method" not in metadata,
        "id_token_claims": ["scope"] if is_default and "code" in response_types else [],
    }


def _types(metadata: Json) -> tuple[list[str], list[str]]:
    """`grant_types` and `response_types`; each defaults to what the other needs (RFC 7591 §2.1)."""
    grant_types, response_types = metadata.get("grant_types"), metadata.get("response_types")
    if response_types is None:
        response_types = ["code"] if grant_types is None or "authorization_code" in grant_types else []
    response_types = [" ".join(sorted(response_type.split())) for response_type in response_types]
    if grant_types is None:
        grant_types = sorted(grant_types_for(response_types)) or ["authorization_code"]
    return list(dict.fromkeys(grant_types)), list(dict.fromkeys(response_types))


def _application_type(metadata: Json, is_public: bool) -> str:
    """The default is `web` (Registration 1.0 §2), but `native` for a public client on the user's device."""
    uris = metadata.get("redirect_uris") or ()
    is_on_device = any(uri_fault(uri) is None and (is_private_use(uri) or is_loopback(uri)) for uri in uris)
    return "native" if is_public and is_on_device else "web"
