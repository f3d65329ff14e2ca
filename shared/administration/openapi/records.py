"""The operations that every kind of record has: list, create, read, replace and delete."""

from collections.abc import Iterable

from shared.administration.openapi.operations import CREATED, ETAG, PAGE, answers, body, if_match, operation
from shared.administration.openapi.schemas import Schema


def listing(name: str, scope: str, summary: str, schema: str, filters: Iterable[Schema] = ()) -> Schema:
    """A list, page by page."""
    return operation(name, scope, summary, answers("200", schema, "400"), parameters=[*PAGE, *filters])


def creation(name: str, scope: str, summary: str, schema: str, request: str) -> Schema:
    """A new record, described by *request*."""
    responses = answers("201", schema, "400", "409", "413", headers=CREATED)
    return operation(name, scope, summary, responses, requestBody=body(request, is_required=True))


def reading(name: str, scope: str, summary: str, schema: str) -> Schema:
    """A record, and its version."""
    return operation(name, scope, summary, answers("200", schema, "400", "404", headers=ETAG))


def replacement(name: str, scope: str, summary: str, schema: str, request: str, *refusals: str) -> Schema:
    """A record that takes the place of the version that the caller has read. *refusals*: beside the usual."""
    usual = ("400", "404", "412", "413", "428")
    return operation(
        name,
        scope,
        summary,
        answers("200", schema, *usual, *refusals, headers=ETAG),
        parameters=[if_match(is_required=True)],
        requestBody=body(request, is_required=True),
    )


def deletion(name: str, scope: str, summary: str) -> Schema:
    """The end of a record, of any version unless one is named."""
    responses = answers("204", None, "400", "404", "412")
    return operation(name, scope, summary, responses, parameters=[if_match(is_required=False)])
