"""The parts that descriptions of operations consist of."""

from collections.abc import Mapping
from typing import Any

from shared.administration.openapi.schemas import STRING, Schema, reference
from shared.administration.paging import DEFAULT_LIMIT, MAX_LIMIT

_REFUSALS: Mapping[str, str] = {
    "400": "the request or the description is not accepted",
    "401": "the access token is missing or invalid, or an administrator must sign in again",
    "403": "the caller lacks the scope, or a right that the record has or would get",
    "404": "there is no such record",
    "409": "the request conflicts with the current state",
    "412": "the record is not of the version that If-Match names",
    "413": "the body is too long",
    "428": "If-Match is missing",
    "503": "a store is unavailable: try again later",
}

ETAG: Schema = {"ETag": {"description": "the version", "schema": STRING}}
CREATED: Schema = {**ETAG, "Location": {"description": "the path of the new record", "schema": STRING}}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": reference(name)}}


def answers(status: str, schema: str | None, *refusals: str, headers: Schema | None = None) -> Schema:
    """The responses of an operation: success, and each refusal."""
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


def body(schema: str, *, is_required: bool) -> Schema:
    """A body of JSON."""
    return {"required": is_required, "content": _json(schema)}


def operation(name: str, scope: str, summary: str, responses: Schema, **more: Any) -> Schema:
    """An operation that needs *scope*."""
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"access_token": [scope]}],
        **more,
        "responses": responses,
    }


def in_path(name: str, description: str) -> Schema:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": STRING, "description": description}


def in_query(name: str, schema: Schema, description: str) -> Schema:
    """A parameter of the query."""
    return {"name": name, "in": "query", "schema": schema, "description": description}


def if_match(*, is_required: bool) -> Schema:
    """The header If-Match."""
    description = "the ETag of the version that the caller has read, or *"
    return {
        "name": "If-Match",
        "in": "header",
        "required": is_required,
        "schema": STRING,
        "description": description,
    }


PAGE = [
    in_query(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        "the largest number of records on the page",
    ),
    in_query("cursor", STRING, "the next_cursor of the previous page"),
]
"""The parameters of every list."""
