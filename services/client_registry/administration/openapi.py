"""The OpenAPI 3.1 document of the administration of clients."""

from collections.abc import Mapping
from typing import Any

from services.client_registry.administration.listing import DEFAULT_LIMIT, MAX_LIMIT, MAX_TEXT
from services.client_registry.administration.schemas import BOOLEAN, STRING, Schema, reference, schemas
from shared.oauth.resource.own import READ_CLIENTS, WRITE_CLIENTS
from shared.paths import (
    ADMIN_CLIENT,
    ADMIN_CLIENT_SECRET,
    ADMIN_CLIENTS,
    ADMIN_INVITATIONS,
    PREFIX,
    TOKEN,
    Path,
)


def _json(name: str) -> Schema:
    return {"application/json": {"schema": reference(name)}}


_ETAG: Schema = {"ETag": {"description": "the client's version", "schema": STRING}}
_REFUSALS: Mapping[str, str] = {
    "400": "the request or the client metadata are not accepted",
    "401": "the access token is missing or invalid",
    "403": "the access token is not a client's own, or lacks the scope",
    "404": "there is no such client",
    "409": "the request conflicts with the client",
    "412": "the client is not of the version that If-Match names",
    "413": "the body is too long",
    "428": "If-Match is missing",
    "503": "a store is unavailable: try again later",
}


def _answers(status: str, schema: str | None, *refusals: str, headers: Schema | None = None) -> Schema:
    success: Schema = {"description": "done"}
    if schema:
        success["content"] = _json(schema)
    if headers:
        success["headers"] = headers
    refused = {
        each: {"description": _REFUSALS[each], "content": _json("Error")}
        for each in ("401", "403", "503", *refusals)
    }
    return {status: success, **dict(sorted(refused.items()))}


def _body(schema: str, *, is_required: bool) -> Schema:
    return {"required": is_required, "content": _json(schema)}


def _operation(name: str, scope: str, summary: str, responses: Schema, **more: Any) -> Schema:
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"access_token": [scope]}],
        **more,
        "responses": responses,
    }


def _query(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": description}


_CLIENT_ID: Schema = {"name": "client_id", "in": "path", "required": True, "schema": STRING}


def _if_match(*, is_required: bool) -> Schema:
    description = "the ETag of the version that the caller has read, or *"
    return {
        "name": "If-Match",
        "in": "header",
        "required": is_required,
        "schema": STRING,
        "description": description,
    }


_LIST_PARAMETERS = [
    _query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "the largest number of clients",
    ),
    _query("cursor", STRING, "the next_cursor of the previous page"),
    _query("text", {**STRING, "maxLength": MAX_TEXT}, "contained in client_id or client_name, ignoring case"),
    _query("is_disabled", BOOLEAN, "only clients with this value"),
    _query("is_dynamically_registered", BOOLEAN, "only clients with this value"),
]


def _operations() -> Mapping[Path, Schema]:
    return {
        ADMIN_CLIENTS: {
            "get": _operation(
                "listClients",
                READ_CLIENTS,
                "Clients by client_id, page by page",
                _answers("200", "Clients", "400"),
                parameters=_LIST_PARAMETERS,
            ),
            "post": _operation(
                "createClient",
                WRITE_CLIENTS,
                "Register a client; an unknown member is refused",
                _answers(
                    "201",
                    "ClientWithSecret",
                    "400",
                    "409",
                    "413",
                    headers={**_ETAG, "Location": {"description": "the client's path", "schema": STRING}},
                ),
                requestBody=_body("ClientRequest", is_required=True),
            ),
        },
        ADMIN_CLIENT: {
            "parameters": [_CLIENT_ID],
            "get": _operation(
                "readClient",
                READ_CLIENTS,
                "The effective metadata of a client, without its secret",
                _answers("200", "Client", "400", "404", headers=_ETAG),
            ),
            "put": _operation(
                "replaceClient",
                WRITE_CLIENTS,
                "Replace a client's metadata; an omitted member returns to its default",
                _answers("200", "ClientWithSecret", "400", "404", "412", "413", "428", headers=_ETAG),
                parameters=[_if_match(is_required=True)],
                requestBody=_body("ClientRequest", is_required=True),
            ),
            "delete": _operation(
                "deleteClient",
                WRITE_CLIENTS,
                "Delete a client, with its consents and grants",
                _answers("204", None, "400", "404", "412"),
                parameters=[_if_match(is_required=False)],
            ),
        },
        ADMIN_CLIENT_SECRET: {
            "parameters": [_CLIENT_ID],
            "post": _operation(
                "rotateSecret",
                WRITE_CLIENTS,
                "Make a new client secret, shown once; the previous one works for the overlap (seconds)",
                _answers("200", "RotatedSecret", "400", "404", "409", "412", "413"),
                parameters=[_if_match(is_required=False)],
                requestBody=_body("RotationRequest", is_required=False),
            ),
        },
        ADMIN_INVITATIONS: {
            "post": _operation(
                "invite",
                WRITE_CLIENTS,
                "Make an initial access token, shown once, with which clients register themselves",
                _answers("201", "Invitation", "400", "413"),
                requestBody=_body("InvitationRequest", is_required=False),
            ),
        },
    }


def document(issuer: str) -> dict[str, Any]:
    """The OpenAPI document of a deployment."""
    scopes = {READ_CLIENTS: "read clients", WRITE_CLIENTS: "create, change and delete clients, and invite"}
    flow = {"clientCredentials": {"tokenUrl": TOKEN.at(issuer), "scopes": scopes}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Ostiary: administration of clients", "version": "1"},
        "servers": [{"url": issuer.removesuffix(PREFIX)}],
        "paths": {path.path: operations for path, operations in _operations().items()},
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"access_token": {"type": "oauth2", "flows": flow}},
        },
    }
