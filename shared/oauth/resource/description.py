"""The description of a protected resource: JSON, as operators write it and as it is stored. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.model import Json
from shared.oauth.authentication_methods import ACR_VALUES
from shared.oauth.client.faults import Fault
from shared.oauth.client.metadata.kinds import DisplayName, Name
from shared.oauth.client.metadata.validation import refuse, validated, without_nulls
from shared.oauth.resource.identifier import MAX_IDENTIFIER, BadIdentifier, canonical
from shared.oauth.resource.own import RESERVED_SCOPES
from shared.oauth.resource.record import ProtectedResource

MAX_SCOPES = 100
MAX_CLIENTS = 1000
MAX_LIFETIME = timedelta(days=1)

NOT_SUPPORTED = frozenset(
    {"dpop_bound_access_tokens_required", "tls_client_certificate_bound_access_tokens", "require_jwe"}
)
"""Members that would promise unsupported features. They are refused, never ignored."""

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
ScopeToken = Annotated[str, StringConstraints(max_length=200, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]


class ResourceDescription(BaseModel):
    """A protected resource as operators write it. Missing members have their defaults."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    resource: Annotated[str, Field(description="its identifier, an absolute URI without a fragment")]
    name: Annotated[
        Annotated[DisplayName, Field(min_length=1)] | None,
        Field(description="shown to people; default: from the identifier"),
    ] = None
    scopes: Annotated[
        list[ScopeToken] | dict[ScopeToken, dict[Language, DisplayName]],
        Field(max_length=MAX_SCOPES, description="its scopes, with texts for people by language"),
    ] = []
    access_token_format: Annotated[
        Literal["opaque", "jwt"] | None, Field(description="default: the client's")
    ] = None
    access_token_lifetime: Annotated[
        int | None,
        Field(ge=1, le=int(MAX_LIFETIME.total_seconds()), description="in seconds; default: the client's"),
    ] = None
    access_token_signing_alg: Annotated[str | None, Field(description="of JWTs; default: ES256")] = None
    introspection_clients: Annotated[
        list[Name], Field(max_length=50, description="the clients that may introspect its access tokens")
    ] = []
    acr_values: Annotated[
        list[Name], Field(max_length=10, description="its users' sign-ins must have reached one of them")
    ] = []
    clients: Annotated[
        Literal["any"] | Annotated[list[Name], Field(max_length=MAX_CLIENTS)],
        Field(description="the clients that may request it"),
    ] = "any"


def read_resource(members: Json, signing_algorithms: Sequence[str], issuer: str) -> ProtectedResource:
    """The resource that an operator describes. Raises InvalidClientMetadata, which names each fault.

    *signing_algorithms*: those of the deployment.
    """
    members = without_nulls(members)
    faults: list[Fault] = [
        (name, "is not known")
        for name in sorted(members.keys() - ResourceDescription.model_fields - NOT_SUPPORTED)
    ]
    faults += [(name, "is not supported by this server") for name in sorted(NOT_SUPPORTED & members.keys())]
    described, malformed = validated(ResourceDescription, members)
    if malformed:
        refuse([*faults, *malformed])
    resource = from_description(described)
    refuse([*faults, *_faults(resource, signing_algorithms, issuer)])
    return resource


def _faults(resource: ProtectedResource, algorithms: Sequence[str], issuer: str) -> Iterator[Fault]:
    try:
        key = resource.key
    except BadIdentifier as fault:
        yield "resource", f"cannot identify a resource: {fault} (at most {MAX_IDENTIFIER} characters)"
        return
    if f"{key}/".startswith(f"{canonical(issuer)}/"):
        yield "resource", "is this server's own"
    for scope in sorted(RESERVED_SCOPES & resource.scopes.keys()):
        yield f"scopes.{scope}", "is a scope of this server itself"
    algorithm = resource.access_token_signing_alg
    if algorithm is not None and algorithm not in algorithms:
        yield "access_token_signing_alg", f"is not one of {', '.join(algorithms)}"
    for value in resource.acr_values:
        if value not in ACR_VALUES:
            yield "acr_values", f"{value} can be reached by no sign-in here"


def from_description(members: Json, *, version: int = 1, **stored: Any) -> ProtectedResource:
    """The record of a valid description, without checks. *stored*: what the store adds."""
    identifier, scopes, clients = (
        members["resource"],
        members.get("scopes", ()),
        members.get("clients", "any"),
    )
    seconds = members.get("access_token_lifetime")
    return ProtectedResource(
        resource=identifier,
        name=members.get("name") or _default_name(identifier),
        scopes=dict(scopes) if isinstance(scopes, Mapping) else {scope: {} for scope in scopes},
        access_token_format=members.get("access_token_format"),
        access_token_lifetime=None if seconds is None else timedelta(seconds=seconds),
        access_token_signing_alg=members.get("access_token_signing_alg"),
        introspection_clients=tuple(members.get("introspection_clients", ())),
        acr_values=tuple(members.get("acr_values", ())),
        clients=None if clients == "any" else tuple(clients),
        version=version,
        **stored,
    )


def description(resource: ProtectedResource) -> dict[str, Any]:
    """The description of a record, with every member that has a value."""
    lifetime = resource.access_token_lifetime
    members = {
        "resource": resource.resource,
        "name": resource.name,
        "scopes": {scope: dict(texts) for scope, texts in resource.scopes.items()},
        "access_token_format": resource.access_token_format,
        "access_token_lifetime": None if lifetime is None else int(lifetime.total_seconds()),
        "access_token_signing_alg": resource.access_token_signing_alg,
        "introspection_clients": list(resource.introspection_clients),
        "acr_values": list(resource.acr_values),
        "clients": "any" if resource.clients is None else list(resource.clients),
    }
    return without_nulls(members)


def _default_name(identifier: str) -> str:
    parts = urlsplit(identifier)
    return f"{parts.netloc}{parts.path}".rstrip("/") or identifier
