"""From the metadata in a request to the resulting client, for operators and for clients themselves. Pure.

Operators may set every member; an unknown member is an error. A client that registers over HTTP may set the
standard members; others are ignored (RFC 7591 §2), and operators' members keep their values.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from shared.model import Json
from shared.oauth import supported
from shared.oauth.client.delivery import delivery_faults
from shared.oauth.client.faults import Capabilities, Fault, client_faults
from shared.oauth.client.metadata.defaults import complete
from shared.oauth.client.metadata.members import OPERATORS_MEMBERS, STANDARD_MEMBERS, to_metadata
from shared.oauth.client.metadata.models import ChosenCredentials, OperatorsMetadata, StandardMetadata
from shared.oauth.client.metadata.validation import (
    NOT_SUPPORTED,
    not_supported,
    refuse,
    validated,
    without_nulls,
)
from shared.oauth.client.policy import policy_faults, with_policy
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import is_private_use, uri_fault
from shared.oauth.client.secret import MIN_SIGNING_SECRET, needs_secret, retained_secrets, signs_with_secret
from shared.oauth.client.uri_schemes import LAUNCHERS, is_denied, is_for_strangers


@dataclass(frozen=True, slots=True)
class OperatorsClient:
    """A client as an operator describes it, and its secret if the operator chose one."""

    client: Client
    client_secret: str | None


def read_operators(
    members: Json, client_id: str, allowed: Capabilities, *, is_new: bool = True
) -> OperatorsClient:
    """The client that an operator describes; *client_id* is used unless the operator chooses one.

    *is_new*: the operator adds the client and does not replace one.

    Raises InvalidClientMetadata, InvalidRedirectUri.
    """
    members = without_nulls(members)
    supported_names = (
        STANDARD_MEMBERS | OPERATORS_MEMBERS | ChosenCredentials.model_fields.keys() | NOT_SUPPORTED
    )
    faults: list[Fault] = [(name, "is not known") for name in sorted(members.keys() - supported_names)]
    faults += not_supported(members)
    credentials, credential_faults = validated(ChosenCredentials, members)
    operators, operators_faults = validated(OperatorsMetadata, members)
    standard, standard_faults = validated(StandardMetadata, members)
    if malformed := [*credential_faults, *operators_faults, *standard_faults]:
        refuse([*faults, *malformed])
    client_id = credentials.get("client_id", client_id)
    client_secret = credentials.get("client_secret")
    if operators.get("profile") == "cells-legacy" and client_secret is None:
        standard = {"token_endpoint_auth_method": "none"} | standard
    client = complete(client_id, standard | operators, {}, is_added=is_new)
    faults += [
        *_secret_faults(client, client_secret),
        *client_faults(client, allowed),
        *delivery_faults(client),
    ]
    refuse(faults)
    return OperatorsClient(client, client_secret)


def _secret_faults(client: Client, client_secret: str | None) -> list[Fault]:
    if client_secret is None:
        return []
    if not needs_secret(client):
        return [("client_secret", f"has no use with {client.token_endpoint_auth_method}")]
    if signs_with_secret(client) and len(client_secret) < MIN_SIGNING_SECRET:
        return [("client_secret", f"is shorter than {MIN_SIGNING_SECRET} characters")]
    return []


def read_registration(
    members: Json,
    client_id: str,
    allowed: Capabilities,
    current: Client | None = None,
    api_scopes: Collection[str] = (),
) -> Client:
    """The client that registers, still without credentials, or *current* with its changes.

    RFC 7591 §2, RFC 7592 §2.2. *api_scopes*: those of registered APIs. They need no registration: the client
    requests them together with an API, and its users decide.

    Raises InvalidClientMetadata, InvalidRedirectUri.
    """
    members = without_nulls(members)
    standard, malformed = validated(StandardMetadata, members)
    faults = not_supported(members)
    if malformed:
        refuse([*faults, *malformed])
    standard, scope_faults = _with_known_scope(standard, current, api_scopes)
    described = with_policy(complete(client_id, standard, _operators_values(current)), current)
    if current is None:
        described = _without_odd_redirects(described)
    faults += [*scope_faults, *policy_faults(described, current), *client_faults(described, allowed)]
    refuse(faults)
    if current is None:
        return described
    return replace(
        current,
        **{name: getattr(described, name) for name in (*STANDARD_MEMBERS, *OPERATORS_MEMBERS)},
        secrets=retained_secrets(described, current.secrets),
    )


def _with_known_scope(
    standard: dict[str, Any], current: Client | None, api_scopes: Collection[str]
) -> tuple[dict[str, Any], list[Fault]]:
    """Drop scopes that the server does not know, unless an operator gave them to the client."""
    if not standard.get("scope"):
        return standard, []
    requested = standard["scope"].split()
    supported_scope = {*supported.SCOPES, *(current.scope if current else ())}
    scope = [token for token in requested if token in supported_scope]
    is_known = bool(scope) or any(token in api_scopes for token in requested)
    faults = [] if is_known else [("scope", "holds no scope that this server knows")]
    return standard | {"scope": " ".join(scope)}, faults


def _without_odd_redirects(client: Client) -> Client:
    """*client* without private-use redirect URIs that it may not have, if it has others.

    Some clients register a scheme of their own beside web and loopback URIs. The response tells which stayed
    (RFC 7591 §3.2.1). Other URIs are never dropped: a mistake in them must show.
    """
    usable = tuple(uri for uri in client.redirect_uris if not _is_odd(uri))
    return replace(client, redirect_uris=usable) if usable else client


def _is_odd(uri: str) -> bool:
    if uri_fault(uri) is not None or not is_private_use(uri):
        return False
    scheme = urlsplit(uri).scheme
    return scheme in LAUNCHERS or not (is_denied(scheme) or is_for_strangers(scheme))


def _operators_values(current: Client | None) -> dict[str, Any]:
    """The operators' members of a client, which its own changes leave alone."""
    metadata = to_metadata(current) if current else {}
    return {name: value for name, value in metadata.items() if name in OPERATORS_MEMBERS}
