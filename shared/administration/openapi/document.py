"""The OpenAPI document of an administration API of a deployment."""

from collections.abc import Mapping
from typing import Any

from shared.administration.openapi.schemas import Schema
from shared.paths import AUTHORIZATION, PREFIX, TOKEN, Path


def openapi_document(
    title: str,
    issuer: str,
    operations: Mapping[Path, Schema],
    schemas: Schema,
    scopes: Mapping[str, str],
) -> dict[str, Any]:
    """The document. *scopes*: the meaning of each."""
    of_token = {"tokenUrl": TOKEN.at(issuer), "scopes": dict(scopes)}
    flows = {
        "clientCredentials": of_token,
        "authorizationCode": {"authorizationUrl": AUTHORIZATION.at(issuer), **of_token},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Ostiary: {title}", "version": "1"},
        "servers": [{"url": issuer.removesuffix(PREFIX)}],
        "paths": {path.path: described for path, described in operations.items()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"access_token": {"type": "oauth2", "flows": flows}},
        },
    }
