"""The operations on sessions and grants."""

from collections.abc import Mapping

from shared.administration.openapi.operations import PAGE, answers, in_path, in_query, operation
from shared.administration.openapi.schemas import STRING, Schema
from shared.oauth.resource.own import READ_GRANTS, READ_SESSIONS, WRITE_GRANTS, WRITE_SESSIONS
from shared.paths import ADMIN_GRANT, ADMIN_GRANTS, ADMIN_SESSION, ADMIN_SESSIONS, Path

_OF_USER = in_query("sub", STRING, "only of this user")

SESSION_OPERATIONS: Mapping[Path, Schema] = {
    ADMIN_SESSIONS: {
        "get": operation(
            "listSessions",
            READ_SESSIONS,
            "Live browser sessions by sid, page by page; a page may have fewer than the limit",
            answers("200", "Sessions", "400"),
            parameters=[*PAGE, _OF_USER],
        ),
        "delete": operation(
            "endSessions",
            WRITE_SESSIONS,
            "End every session of a user; grants that outlive their sessions go on",
            answers("204", None, "400", "404"),
            parameters=[{**_OF_USER, "required": True}],
        ),
    },
    ADMIN_SESSION: {
        "parameters": [in_path("sid", "of the session")],
        "get": operation(
            "readSession", READ_SESSIONS, "A live session", answers("200", "Session", "400", "404")
        ),
        "delete": operation(
            "endSession", WRITE_SESSIONS, "End a session", answers("204", None, "400", "404")
        ),
    },
    ADMIN_GRANTS: {
        "get": operation(
            "listGrants",
            READ_GRANTS,
            "The live grants of a user or a client by grant_id, page by page",
            answers("200", "Grants", "400"),
            parameters=[*PAGE, _OF_USER, in_query("client_id", STRING, "only of this client")],
        ),
    },
    ADMIN_GRANT: {
        "parameters": [in_path("grant_id", "of the grant")],
        "get": operation("readGrant", READ_GRANTS, "A live grant", answers("200", "Grant", "400", "404")),
        "delete": operation(
            "revokeGrant", WRITE_GRANTS, "Revoke a grant with its tokens", answers("204", None, "400", "404")
        ),
    },
}
