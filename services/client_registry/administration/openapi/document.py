"""The OpenAPI document of a deployment's administration."""

from typing import Any

from services.client_registry.administration.openapi.clients import CLIENT_OPERATIONS
from services.client_registry.administration.openapi.resources import RESOURCE_OPERATIONS
from services.client_registry.administration.openapi.schemas import schemas
from shared.oauth.resource.own import READ_CLIENTS, READ_RESOURCES, WRITE_CLIENTS, WRITE_RESOURCES
from shared.paths import PREFIX, TOKEN

_SCOPES = {
    READ_CLIENTS: "read clients",
    WRITE_CLIENTS: "create, change and delete clients, and invite",
    READ_RESOURCES: "read protected resources",
    WRITE_RESOURCES: "create, change and delete protected resources",
}


def document(issuer: str) -> dict[str, Any]:
    """The document of a deployment."""
    operations = {**CLIENT_OPERATIONS, **RESOURCE_OPERATIONS}
    flow = {"clientCredentials": {"tokenUrl": TOKEN.at(issuer), "scopes": _SCOPES}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ostiary: administration of clients and protected resources", "version": "1"},
        "servers": [{"url": issuer.removesuffix(PREFIX)}],
        "paths": {path.path: described for path, described in operations.items()},
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"access_token": {"type": "oauth2", "flows": flow}},
        },
    }
