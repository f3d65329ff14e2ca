"""The operations on protected resources."""

from collections.abc import Mapping

from shared.administration.openapi.operations import in_path
from shared.administration.openapi.records import creation, deletion, listing, reading, replacement
from shared.administration.openapi.schemas import Schema
from shared.oauth.resource.own import READ_RESOURCES, WRITE_RESOURCES
from shared.paths import ADMIN_RESOURCE, ADMIN_RESOURCES, Path

RESOURCE_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_RESOURCES: {
        "get": listing(
            "listResources", READ_RESOURCES, "Protected resources by name, page by page", "Resources"
        ),
        "post": creation(
            "createResource",
            WRITE_RESOURCES,
            "Register a protected resource; an unknown member is refused",
            "Resource",
            "Resource",
        ),
    },
    ADMIN_RESOURCE: {
        "parameters": [in_path("resource", "the name or the identifier of the resource")],
        "get": reading("readResource", READ_RESOURCES, "The description of a protected resource", "Resource"),
        "put": replacement(
            "replaceResource",
            WRITE_RESOURCES,
            "Replace the description, except the identifier; an omitted member returns to its default",
            "Resource",
            "ResourceReplacement",
            "409",
        ),
        "delete": deletion(
            "deleteResource",
            WRITE_RESOURCES,
            "Delete a protected resource: no access token is issued for it any more",
        ),
    },
}
