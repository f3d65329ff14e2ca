"""The operations on protected resources."""

from collections.abc import Mapping

from shared.administration.openapi.operations import (
    CREATED,
    ETAG,
    PAGE,
    answers,
    body,
    if_match,
    in_path,
    operation,
)
from shared.administration.openapi.schemas import Schema
from shared.oauth.resource.own import READ_RESOURCES, WRITE_RESOURCES
from shared.paths import ADMIN_RESOURCE, ADMIN_RESOURCES, Path

RESOURCE_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_RESOURCES: {
        "get": operation(
            "listResources",
            READ_RESOURCES,
            "Protected resources by name, page by page",
            answers("200", "Resources", "400"),
            parameters=PAGE,
        ),
        "post": operation(
            "createResource",
            WRITE_RESOURCES,
            "Register a protected resource; an unknown member is refused",
            answers("201", "Resource", "400", "409", "413", headers=CREATED),
            requestBody=body("Resource", is_required=True),
        ),
    },
    ADMIN_RESOURCE: {
        "parameters": [in_path("resource", "the name or the identifier of the resource")],
        "get": operation(
            "readResource",
            READ_RESOURCES,
            "The description of a protected resource",
            answers("200", "Resource", "400", "404", headers=ETAG),
        ),
        "put": operation(
            "replaceResource",
            WRITE_RESOURCES,
            "Replace the description, except the identifier; an omitted member returns to its default",
            answers("200", "Resource", "400", "404", "409", "412", "413", "428", headers=ETAG),
            parameters=[if_match(is_required=True)],
            requestBody=body("ResourceReplacement", is_required=True),
        ),
        "delete": operation(
            "deleteResource",
            WRITE_RESOURCES,
            "Delete a protected resource: no access token is issued for it any more",
            answers("204", None, "400", "404", "412"),
            parameters=[if_match(is_required=False)],
        ),
    },
}
