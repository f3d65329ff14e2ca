"""Which client metadata are accepted, and what is filled in: one reading for operators, one for strangers.

Operators may say everything, and a member that is not known is a mistake of theirs. Who registers a client
over HTTP says what the standards name; other members are ignored (RFC 7591 §2), and what only operators may
say keeps its value.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.model import Json
from shared.oauth import supported
from shared.oauth.client.faults import Allowed, Fault, client_faults, grant_types_for
from shared.oauth.client.metadata import (
    OWN_MEMBERS,
    STANDARD_MEMBERS,
    ClientCredentials,
    OwnMetadata,
    StandardMetadata,
    from_metadata,
    to_metadata,
)
from shared.oauth.client.policy import policy_faults, with_policy
from shared.oauth.client.profiles import PROFILES
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import is_loopback, is_private_use, uri_fault
from shared.oauth.client.secret import MIN_SIGNING_SECRET, kept_secrets, needs_secret, signs_with_secret
from shared.oauth.errors import InvalidClientMetadata, InvalidRedirectUri

_DEFAULT_SCOPE = "openid profile email address phone"
_NOT_SUPPORTED = frozenset({"request_object_encryption_alg"})
"""Members that promise what the server does not do: never ignored in silence."""
_EMPTY_IS_MISSING = ("grant_types", "scope")  # a client with none of either could do nothing
_MAX_FAULTS = 10

CONFIDENTIAL_DEFAULTS: Json = MappingProxyType({"require_pkce": False, "remember_consent": True})
"""Members that have the opposite default for a public client."""


@dataclass(frozen=True, slots=True)
class OperatorsClient:
    """A client as an operator wants it, and the secret that they chose, if they did."""

    client: Client
    client_secret: str | None


def read_operators(members: Json, fresh_client_id: str, allowed: Allowed) -> OperatorsClient:
    """The client that an operator describes. Raises InvalidClientMetadata, InvalidRedirectUri."""
    given = _without_nulls(members)
    known = STANDARD_MEMBERS | OWN_MEMBERS | ClientCredentials.model_fields.keys() | _NOT_SUPPORTED
    faults = [(name, "is not known") for name in sorted(given.keys() - known)]
    credentials, credential_faults = _validated(ClientCredentials, given)
    own, own_faults = _validated(OwnMetadata, given)
    standard, standard_faults = _validated(StandardMetadata, given)
    faults += _not_supported(given)
    if malformed := [*credential_faults, *own_faults, *standard_faults]:
        _refuse([*faults, *malformed])
    client_id = credentials.get("client_id", fresh_client_id)
    client_secret = credentials.get("client_secret")
    if own.get("profile") == "cells-legacy" and client_secret is None:
        standard = {"token_endpoint_auth_method": "none"} | standard
    client = _complete(client_id, standard | own, {})
    if client_secret and not needs_secret(client):
        faults.append(("client_secret", f"has no use with {client.token_endpoint_auth_method}"))
    elif client_secret and signs_with_secret(client) and len(client_secret) < MIN_SIGNING_SECRET:
        faults.append(("client_secret", f"is shorter than {MIN_SIGNING_SECRET} characters"))
    _refuse([*faults, *client_faults(client, allowed)])
    return OperatorsClient(client, client_secret)


def read_registration(
    members: Json, client_id: str, allowed: Allowed, current: Client | None = None
) -> Client:
    """The client that someone registers, or makes of the *current* one (RFC 7591 §2, RFC 7592 §2.2).

    Raises InvalidClientMetadata, InvalidRedirectUri.
    """
    given = _without_nulls(members)
    standard, malformed = _validated(StandardMetadata, given)
    faults = _not_supported(given)
    if malformed:
        _refuse([*faults, *malformed])
    if standard.get("scope"):
        may_have = {*supported.SCOPES, *(current.scope if current else ())}
        known = [scope for scope in standard["scope"].split() if scope in may_have]
        standard |= {"scope": " ".join(known)}
        faults += [] if known else [("scope", "holds no scope that this server knows")]
    kept = to_metadata(current) if current else {}
    kept = {name: value for name, value in kept.items() if name in OWN_MEMBERS}
    changed = with_policy(_complete(client_id, standard, kept), current)
    _refuse([*faults, *client_faults(changed, allowed), *policy_faults(changed, current)])
    if current is None:
        return replace(changed, is_dynamically_registered=True)
    return replace(
        changed,
        secrets=kept_secrets(changed, current.secrets),
        registration_access_token_hash=current.registration_access_token_hash,
        is_dynamically_registered=current.is_dynamically_registered,
        disabled_at=current.disabled_at,
        created_at=current.created_at,
        version=current.version,
    )


def _without_nulls(members: Json) -> dict[str, Any]:
    """RFC 7592 §2.2: null is the same as omitting the member."""
    return {name: value for name, value in members.items() if value is not None}


def _not_supported(given: Json) -> list[Fault]:
    return [(name, "is not supported by this server") for name in sorted(_NOT_SUPPORTED & given.keys())]


def check_sector(client: Client, document: object) -> None:
    """Whether the document at the client's `sector_identifier_uri` speaks for it: Registration 1.0 §5.

    Raises InvalidClientMetadata.
    """
    listed = document if isinstance(document, list) else []
    _refuse(
        [
            ("sector_identifier_uri", f"does not list redirect_uris.{index}")
            for index, uri in enumerate(client.redirect_uris)
            if uri not in listed
        ]
    )


def _validated(model: type[BaseModel], given: Json) -> tuple[dict[str, Any], list[Fault]]:
    try:
        return model.model_validate(given).model_dump(exclude_unset=True), []
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return {}, [(".".join(str(part) for part in fault["loc"]), _sentence(fault)) for fault in faults]


def _sentence(fault: ErrorDetails) -> str:
    """The end of a sentence. A regular expression tells nobody what is wrong."""
    if fault["type"] == "string_pattern_mismatch":
        return "is not accepted: it has characters that are not allowed there"
    return f"is not accepted: {fault['msg']}"


def _refuse(faults: list[Fault]) -> None:
    if not faults:
        return
    sentence = "; ".join(f"{path} {fault}" for path, fault in faults[:_MAX_FAULTS])
    if any(path.partition(".")[0] == "redirect_uris" for path, _ in faults):
        raise InvalidRedirectUri(sentence, faults=tuple(faults))
    raise InvalidClientMetadata(sentence, faults=tuple(faults))


def _complete(client_id: str, given: Json, kept: Json) -> Client:
    """The client of well-formed members, with what they leave open filled in."""
    given = {name: value for name, value in given.items() if value or name not in _EMPTY_IS_MISSING}
    profile = PROFILES[kept.get("profile") or given.get("profile") or "default"]
    metadata: dict[str, Any] = {**profile, **kept, **given}
    is_public = metadata.get("token_endpoint_auth_method") == "none"
    grant_types, response_types = _types(metadata)
    scope = _DEFAULT_SCOPE + (" offline_access" if "refresh_token" in grant_types else "")
    metadata = {
        "application_type": _application_type(metadata, is_public),
        **{name: default is not is_public for name, default in CONFIDENTIAL_DEFAULTS.items()},
        "scope": scope,
        **metadata,
        "grant_types": grant_types,
        "response_types": response_types,
    }
    return from_metadata(client_id, metadata)


def _types(metadata: Json) -> tuple[list[str], list[str]]:
    """`grant_types` and `response_types`; what is missing follows from the other (RFC 7591 §2.1)."""
    grant_types, response_types = metadata.get("grant_types"), metadata.get("response_types")
    if response_types is None:
        response_types = ["code"] if grant_types is None or "authorization_code" in grant_types else []
    response_types = [" ".join(sorted(response_type.split())) for response_type in response_types]
    if grant_types is None:
        grant_types = sorted(grant_types_for(response_types)) or ["authorization_code"]
    return list(dict.fromkeys(grant_types)), list(dict.fromkeys(response_types))


def _application_type(metadata: Json, is_public: bool) -> str:
    """OpenID Connect Registration says web. A public client that answers on a device too is native."""
    uris = metadata.get("redirect_uris") or ()
    is_on_device = any(uri_fault(uri) is None and (is_private_use(uri) or is_loopback(uri)) for uri in uris)
    return "native" if is_public and is_on_device else "web"
