"""The operations on clients and their invitations."""

from collections.abc import Mapping

from services.client_registry.administration.listing import MAX_TEXT
from shared.administration.openapi.operations import answers, body, if_match, in_path, in_query, operation
from shared.administration.openapi.records import creation, deletion, listing, reading, replacement
from shared.administration.openapi.schemas import BOOLEAN, STRING, Schema
from shared.oauth.resource.own import READ_CLIENTS, WRITE_CLIENTS
from shared.paths import ADMIN_CLIENT, ADMIN_CLIENT_SECRET, ADMIN_CLIENTS, ADMIN_INVITATIONS, Path

_CLIENT_ID = in_path("client_id", "of the client")
_FILTERS = [
    in_query(
        "text", {**STRING, "maxLength": MAX_TEXT}, "contained in client_id or client_name, ignoring case"
    ),
    in_query("is_disabled", BOOLEAN, "only clients with this value"),
    in_query("is_dynamically_registered", BOOLEAN, "only clients with this value"),
]

CLIENT_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_CLIENTS: {
        "get": listing(
            "listClients", READ_CLIENTS, "Clients by client_id, page by page", "Clients", _FILTERS
        ),
        "post": creation(
            "createClient",
            WRITE_CLIENTS,
            "Register a client; an unknown member is refused",
            "ClientWithSecret",
            "ClientRequest",
        ),
    },
    ADMIN_CLIENT: {
        "parameters": [_CLIENT_ID],
        "get": reading(
            "readClient", READ_CLIENTS, "The effective metadata of a client, without its secret", "Client"
        ),
        "put": replacement(
            "replaceClient",
            WRITE_CLIENTS,
            "Replace a client's metadata; an omitted member returns to its default",
            "ClientWithSecret",
            "ClientRequest",
        ),
        "delete": deletion("deleteClient", WRITE_CLIENTS, "Delete a client, with its consents and grants"),
    },
    ADMIN_CLIENT_SECRET: {
        "parameters": [_CLIENT_ID],
        "post": operation(
            "rotateSecret",
            WRITE_CLIENTS,
            "Make a new client secret, shown once; the previous one works for the overlap (seconds)",
            answers("200", "RotatedSecret", "400", "404", "409", "412", "413"),
            parameters=[if_match(is_required=False)],
            requestBody=body("RotationRequest", is_required=False),
        ),
    },
    ADMIN_INVITATIONS: {
        "post": operation(
            "invite",
            WRITE_CLIENTS,
            "Make an initial access token, shown once, with which clients register themselves",
            answers("201", "Invitation", "400", "413"),
            requestBody=body("InvitationRequest", is_required=False),
        ),
    },
}
