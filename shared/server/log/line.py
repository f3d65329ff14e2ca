"""Renders a log event as a line of JSON. It never raises, and redacts strings that look like secrets."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from shared.oauth.tokens.handle import Kind
from shared.oauth.tokens.personal_access_token import PREFIX

_SECRET = re.compile(
    rf"\b(?:(?:{'|'.join(Kind)})_|{PREFIX})[A-Za-z0-9_-]{{20,}}"
    r"|\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
)
REDACTED = "[redacted]"


def redact(text: str) -> str:
    """*text* without handles, personal access tokens and JWTs."""
    return _SECRET.sub(REDACTED, text)


def as_text(value: object) -> str:
    """*value* as text that UTF-8 can encode."""
    try:
        text = str(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()


def render(event: Mapping[str, Any]) -> bytes:
    """*event* as JSON. Values that JSON cannot represent (lone surrogates, huge integers) become text."""
    try:
        return orjson.dumps(event, default=str)
    except Exception:
        return orjson.dumps({as_text(name): _encodable(value) for name, value in event.items()})


def _encodable(value: object) -> object:
    try:
        orjson.dumps(value)
    except Exception:
        return redact(as_text(value))
    return value
