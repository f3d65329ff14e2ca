"""The schemas of the administration's bodies, made from the models that validate them."""

from services.client_registry.administration.clients import InvitationRequest, RotationRequest
from shared.administration.openapi.schemas import (
    STRING,
    TIME,
    Schema,
    error_schema,
    list_of,
    object_of,
    properties,
)
from shared.oauth.client.metadata.models import (
    ChosenCredentials,
    OperatorsMetadata,
    ReadOnlyMetadata,
    StandardMetadata,
)
from shared.oauth.resource.description import ResourceDescription

_SECONDS: Schema = {"type": "integer", "description": "seconds since 1970; of a client secret 0: never"}
_SECRET: Schema = {"client_secret": STRING, "client_secret_expires_at": _SECONDS}


def schemas() -> Schema:
    """Every schema by its name."""
    metadata = properties(StandardMetadata, OperatorsMetadata)
    read_only = {name: {**schema, "readOnly": True} for name, schema in properties(ReadOnlyMetadata).items()}
    client = {**metadata, "client_id": STRING, **read_only}
    always = ("client_id", "is_disabled", "is_dynamically_registered")
    fault = object_of({"path": STRING, "fault": STRING}, "path", "fault")
    warning = object_of({"path": STRING, "warning": STRING}, "path", "warning")
    resource = properties(ResourceDescription)
    warnings = {"type": "array", "items": warning, "description": "of what is accepted and seldom meant"}
    return {
        "ClientRequest": object_of({**metadata, **properties(ChosenCredentials), **read_only}),
        "Client": object_of(client, *always),
        "ClientWithSecret": object_of({**client, **_SECRET, "warnings": warnings}, *always),
        "Clients": list_of("clients", "Client"),
        "Resource": object_of(resource, "resource"),
        "ResourceReplacement": object_of(resource),
        "Resources": list_of("resources", "Resource"),
        "RotationRequest": object_of(properties(RotationRequest)),
        "RotatedSecret": object_of(
            {"client_id": STRING, **_SECRET, "previous_client_secret_expires_at": _SECONDS},
            "client_id",
            *_SECRET,
        ),
        "InvitationRequest": object_of(properties(InvitationRequest)),
        "Invitation": object_of(
            {
                "initial_access_token": STRING,
                "uses": {"type": "integer"},
                "expires_at": TIME,
            },
            "initial_access_token",
            "uses",
            "expires_at",
        ),
        "Error": error_schema(
            faults={"type": "array", "items": fault, "description": "of a description, all of them"}
        ),
    }
