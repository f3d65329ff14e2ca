"""From the metadata in a request to the resulting client, for operators and for clients themselves. Pure.

Operators may set every member; an unknown member is an error. A client that registers over HTTP may set the
standard members; others are ignored (RFC 7591 §2), and operators' members keep their values.
"""

from dataclasses import dataclass, replace
from typing import Any

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
from shared.oauth.client.secret import MIN_SIGNING_SECRET, needs_secret, retained_secrets, signs_with_secret


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
    members: Json, client_id: str, allowed: Capabilities, current: Client | None = None
) -> Client:
    """The client that registers, still without credentials, or *current* with its changes.

    RFC 7591 §2, RFC 7592 §2.2.

    Raises InvalidClientMetadata, InvalidRedirectUri.
    """
    members = without_nulls(members)
    standard, malformed = validated(StandardMetadata, members)
    faults = not_supported(members)
    if malformed:
        refuse([*faults, *malformed])
    standard, scope_faults = _with_known_scope(standard, current)
    described = with_policy(complete(client_id, standard, _operators_values(current)), current)
    faults += [*scope_faults, *policy_faults(described, current), *client_faults(described, allowed)]
    refuse(faults)
    if current is None:
        return described
    return replace(
        current,
        **{name: getattr(described, name) for name in (*STANDARD_MEMBERS, *OPERATORS_MEMBERS)},
        secrets=retained_secrets(described, current.secrets),
    )


def _with_known_scope(standard: dict[str, Any], current: Client | None) -> tuple[dict[str, Any], list[Fault]]:
    """Drop scopes that the server does not know, unless an operator gave them to the client."""
    if not standard.get("scope"):
        return standard, []
    supported_scope = {*supported.SCOPES, *(current.scope if current else ())}
    scope = [token for token in standard["scope"].split() if token in supported_scope]
    faults = [] if scope else [("scope", "holds no scope that this server knows")]
    return standard | {"scope": " ".join(scope)}, faults


def _operators_values(current: Client | None) -> dict[str, Any]:
    """The operators' members of a client, which its own changes leave alone."""
    metadata = to_metadata(current) if current else {}
    return {name: value for name, value in metadata.items() if name in OPERATORS_MEMBERS}
