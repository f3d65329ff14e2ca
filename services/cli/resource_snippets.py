"""The metadata document of a resource, in forms that its own host can serve (RFC 9728 §3). Pure."""

import json
from collections.abc import Callable, Mapping

from shared.model import Json
from shared.oauth.resource.metadata import metadata_path

_ESCAPES = {"\\\\": r"\u005c", '\\"': r"\u0022", "'": r"\u0027", "$": r"\u0024", "`": r"\u0060"}
"""JSON without characters that either proxy would unquote or expand."""


def _as_json(_: str, document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _compact(document: Json) -> str:
    text = json.dumps(document, separators=(",", ":"))
    for plain, escaped in _ESCAPES.items():
        text = text.replace(plain, escaped)
    return text


def _for_caddy(resource: str, document: Json) -> str:
    return f"""handle {metadata_path(resource)} {{
	header Content-Type application/json
	header Access-Control-Allow-Origin *
	respond `{_compact(document)}` 200
}}"""


def _for_nginx(resource: str, document: Json) -> str:
    return f"""location = {metadata_path(resource)} {{
    default_type application/json;
    add_header Access-Control-Allow-Origin *;
    return 200 '{_compact(document)}';
}}"""


SNIPPETS: Mapping[str, Callable[[str, Json], str]] = {
    "json": _as_json,
    "caddy": _for_caddy,
    "nginx": _for_nginx,
}
"""The renderers by proxy. `json` is the document itself."""
