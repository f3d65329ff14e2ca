"""The metadata document of a protected resource, and its URL (RFC 9728). Pure."""

from typing import Any
from urllib.parse import urlsplit

from shared.model import Json
from shared.oauth.resource.record import ProtectedResource

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def metadata_path(resource: str) -> str:
    """The path of the document: the well-known one, inserted before the resource's own (RFC 9728 §3.1)."""
    parts = urlsplit(resource)
    path = "" if parts.path == "/" else parts.path
    query = f"?{parts.query}" if parts.query else ""
    return f"{WELL_KNOWN}{path}{query}"


def metadata_uri(resource: str) -> str:
    """The URL of the document."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{metadata_path(resource)}"


def resource_metadata(resource: ProtectedResource, issuer: str) -> Json:
    """The document: RFC 9728 §2. Members without a value are left out (§3.2)."""
    names: dict[str, Any] = {"resource_name": resource.name} if resource.name else {}
    scopes: dict[str, Any] = {"scopes_supported": list(resource.scopes)} if resource.scopes else {}
    return {
        "resource": resource.resource,
        "authorization_servers": [issuer],
        **scopes,
        "bearer_methods_supported": ["header"],
        **names,
    }
