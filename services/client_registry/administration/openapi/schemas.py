"""The schemas of the administration's bodies, made from the models that validate them."""

from typing import Any

from pydantic import BaseModel

from services.client_registry.administration.clients import InvitationRequest, RotationRequest
from shared.oauth.client.metadata.models import (
    ChosenCredentials,
    OperatorsMetadata,
    ReadOnlyMetadata,
    StandardMetadata,
)
from shared.oauth.resource.description import ResourceDescription

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
_SECONDS: Schema = {"type": "integer", "description": "seconds since 1970; of a client secret 0: never"}
BOOLEAN: Schema = {"type": "boolean"}
_SECRET: Schema = {"client_secret": STRING, "client_secret_expires_at": _SECONDS}


def _properties(*models: type[BaseModel]) -> Schema:
    return {
        name: schema for model in models for name, schema in model.model_json_schema()["properties"].items()
    }


def _object(properties: Schema, *required: str) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _list_of(name: str, schema: str) -> Schema:
    return _object(
        {
            name: {"type": "array", "items": reference(schema)},
            "next_cursor": {**STRING, "description": "absent on the last page"},
        },
        name,
    )


def schemas() -> Schema:
    """Every schema by its name."""
    metadata = _properties(StandardMetadata, OperatorsMetadata)
    read_only = {name: {**schema, "readOnly": True} for name, schema in _properties(ReadOnlyMetadata).items()}
    client = {**metadata, "client_id": STRING, **read_only}
    always = ("client_id", "is_disabled", "is_dynamically_registered")
    fault = _object({"path": STRING, "fault": STRING}, "path", "fault")
    warning = _object({"path": STRING, "warning": STRING}, "path", "warning")
    resource = _properties(ResourceDescription)
    warnings = {"type": "array", "items": warning, "description": "of what is accepted and seldom meant"}
    return {
        "ClientRequest": _object({**metadata, **_properties(ChosenCredentials), **read_only}),
        "Client": _object(client, *always),
        "ClientWithSecret": _object({**client, **_SECRET, "warnings": warnings}, *always),
        "Clients": _list_of("clients", "Client"),
        "Resource": _object(resource, "resource"),
        "ResourceReplacement": _object(resource),
        "Resources": _list_of("resources", "Resource"),
        "RotationRequest": _object(_properties(RotationRequest)),
        "RotatedSecret": _object(
            {"client_id": STRING, **_SECRET, "previous_client_secret_expires_at": _SECONDS},
            "client_id",
            *_SECRET,
        ),
        "InvitationRequest": _object(_properties(InvitationRequest)),
        "Invitation": _object(
            {
                "initial_access_token": STRING,
                "uses": {"type": "integer"},
                "expires_at": {**STRING, "format": "date-time"},
            },
            "initial_access_token",
            "uses",
            "expires_at",
        ),
        "Error": _object(
            {
                "error": STRING,
                "error_description": STRING,
                "faults": {"type": "array", "items": fault, "description": "of a description, all of them"},
            },
            "error",
        ),
    }


def reference(name: str) -> Schema:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
