"""The OpenAPI document of an administration API of a deployment."""

from collections.abc import Mapping
from typing import Any

from shared.administration.openapi.schemas import Schema
from shared.paths import PREFIX, TOKEN, Path


def openapi_document(
    title: str,
    issuer: str,
    operations: Mapping[Path, Schema],
    schemas: Schema,
    scopes: Mapping[str, str],
) -> dict[str, Any]:
    """The document. *scopes*: the meaning of each."""
    flow = {"clientCredentials": {"tokenUrl": TOKEN.at(issuer), "scopes": dict(scopes)}}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Ostiary: {title}", "version": "1"},
        "servers": [{"url": issuer.removesuffix(PREFIX)}],
        "paths": {path.path: described for path, described in operations.items()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"access_token": {"type": "oauth2", "flows": flow}},
        },
    }
