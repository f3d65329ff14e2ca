"""Reads a client ID metadata document: what it must say, and what of it counts. Pure.

It is read liberally: unknown members are ignored, values that the server does not support are narrowed away,
and a document is refused only if nothing usable is left, or if it could be taken for another client's.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import orjson

from shared.codec.json_text import BadJson, parse_object
from shared.model import Json
from shared.oauth.client.faults import Capabilities, Fault, client_faults
from shared.oauth.client.metadata.defaults import complete
from shared.oauth.client.metadata.members import to_metadata
from shared.oauth.client.metadata.models import StandardMetadata
from shared.oauth.client.metadata.validation import validated, without_nulls
from shared.oauth.client.policy import policy_faults, with_policy
from shared.oauth.client.private_network import is_on_private_network
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import LOOPBACK_HOSTS, redirect_uri_fault, web_uri_fault
from shared.oauth.supported import DEVICE_CODE

METHODS = ("private_key_jwt", "none")
"""The methods of clients without a shared secret, the strongest first."""

GRANT_TYPES = ("authorization_code", "refresh_token", DEVICE_CODE)
_PAGES = ("client_uri", "logo_uri", "policy_uri", "tos_uri")
_COUNTING = (
    "client_name",
    *_PAGES,
    "redirect_uris",
    "application_type",
    "jwks",
    "jwks_uri",
    "token_endpoint_auth_signing_alg",
    "contacts",
    "software_id",
    "software_version",
)
_TRUSTED = ("redirect_uris", "jwks", "jwks_uri", "token_endpoint_auth_method", "client_name", "logo_uri")
"""What people agreed to: they are asked again when one of these has changed."""


class BadDocument(ValueError):
    """The document describes no client that could be used here. Says why, for the client's developer."""


def read_document(client_id: str, text: str, allowed: Capabilities) -> Client:
    """The client that the document at *client_id* describes. Raises BadDocument."""
    try:
        members = without_nulls(parse_object(text.encode()))
    except BadJson as fault:
        raise BadDocument(f"it is not a JSON object: {fault}") from None
    if members.get("client_id") != client_id:
        raise BadDocument("its client_id is not the URL that it was fetched from")
    _check_secrets(members)
    standard, malformed = validated(StandardMetadata, _counting(client_id, members))
    if malformed:
        raise BadDocument(_sentence(malformed))
    standard |= {
        "token_endpoint_auth_method": _method(members),
        "grant_types": _grant_types(members),
        "response_types": ["code"],
    }
    client = _with_usable_redirects(with_policy(complete(client_id, standard, {}), None))
    if faults := [*policy_faults(client, None), *client_faults(client, allowed)]:
        raise BadDocument(_sentence(faults))
    return replace(client, require_pkce=True, document_hash=_digest(client))


def _check_secrets(members: Json) -> None:
    """A document is public, so it must not promise a secret. Raises BadDocument."""
    secrets = sorted({"client_secret", "client_secret_expires_at"} & members.keys())
    if secrets:
        raise BadDocument(f"it contains {secrets[0]}")


def _counting(client_id: str, members: Json) -> dict[str, Any]:
    """The members that count; pages that browsers must not be led to are left out."""
    counting = {name: members[name] for name in _COUNTING if name in members}
    for name in _PAGES:
        uri = counting.get(name)
        if not isinstance(uri, str) or web_uri_fault(uri) or _leads_inside(uri, client_id):
            counting.pop(name, None)
    return counting


def _leads_inside(uri: str, client_id: str) -> bool:
    """Whether a page is on the browser's device or network, and not where the document is."""
    host = urlsplit(uri).hostname or ""
    is_inside = host in LOOPBACK_HOSTS or is_on_private_network(host)
    return is_inside and host != urlsplit(client_id).hostname


def _listed(members: Json, name: str) -> list[str] | None:
    values = members.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise BadDocument(f"its {name} is not a list of strings")
    return values


def _method(members: Json) -> str:
    """The strongest of the methods that the client offers (OpenID Connect RP Metadata Choices 1.0)."""
    single = members.get("token_endpoint_auth_method")
    offered = _listed(members, "token_endpoint_auth_methods_supported") or []
    if single is None and not offered:
        return "none"
    for method in METHODS:
        if method == single or method in offered:
            return method
    raise BadDocument("it offers no token_endpoint_auth_method that works without a secret")


def _grant_types(members: Json) -> list[str]:
    """The grant types that are supported, of those that the client lists."""
    response_types = _listed(members, "response_types")
    if response_types is not None and "code" not in response_types:
        raise BadDocument("its response_types lack code")
    listed = _listed(members, "grant_types")
    if listed is None:
        return ["authorization_code"]
    grant_types = [grant_type for grant_type in GRANT_TYPES if grant_type in listed]
    if "authorization_code" not in grant_types:
        raise BadDocument("its grant_types lack authorization_code")
    return grant_types


def _with_usable_redirects(client: Client) -> Client:
    """*client* without redirect URIs that cannot be used; with all of them if none is left, to say why."""
    usable = tuple(
        uri for uri in client.redirect_uris if redirect_uri_fault(uri, client.application_type) is None
    )
    return replace(client, redirect_uris=usable) if usable else client


def _digest(client: Client) -> bytes:
    """The digest of what people agreed to."""
    metadata = to_metadata(client)
    trusted = {name: metadata.get(name) for name in _TRUSTED}
    return hashlib.sha256(orjson.dumps(trusted, option=orjson.OPT_SORT_KEYS)).digest()


def _sentence(faults: Sequence[Fault]) -> str:
    path, fault = faults[0]
    return f"its {path} {fault}"
