"""The OpenAPI document of the administration of clients and protected resources."""

from functools import cache
from typing import Any

from services.client_registry.administration.openapi.clients import CLIENT_OPERATIONS
from services.client_registry.administration.openapi.resources import RESOURCE_OPERATIONS
from services.client_registry.administration.openapi.schemas import schemas
from shared.administration.openapi.document import openapi_document
from shared.oauth.resource.own import READ_CLIENTS, READ_RESOURCES, WRITE_CLIENTS, WRITE_RESOURCES

_SCOPES = {
    READ_CLIENTS: "read clients",
    WRITE_CLIENTS: "create, change and delete clients, and invite",
    READ_RESOURCES: "read protected resources",
    WRITE_RESOURCES: "create, change and delete protected resources",
}


@cache
def document(issuer: str) -> dict[str, Any]:
    """The document of a deployment."""
    return openapi_document(
        "administration of clients and protected resources",
        issuer,
        {**CLIENT_OPERATIONS, **RESOURCE_OPERATIONS},
        schemas(),
        _SCOPES,
    )
