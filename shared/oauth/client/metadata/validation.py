"""Validation of client metadata by member, and the error that lists every fault. Pure."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.model import Json
from shared.oauth.client.faults import Fault
from shared.oauth.errors import InvalidClientMetadata, InvalidRedirectUri

NOT_SUPPORTED = frozenset({"request_object_encryption_alg"})
"""Members that promise something the server does not do. They are rejected, not ignored."""

_MAX_FAULTS = 10


def without_nulls(members: Json) -> dict[str, Any]:
    """The members that have a value: null means the same as leaving the member out (RFC 7592 §2.2)."""
    return {name: value for name, value in members.items() if value is not None}


def validated(model: type[BaseModel], members: Json) -> tuple[dict[str, Any], list[Fault]]:
    """The members of *model* that are present, if each is valid by itself; otherwise the faults."""
    try:
        return model.model_validate(members).model_dump(exclude_unset=True), []
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return {}, [(".".join(str(part) for part in fault["loc"]), _sentence(fault)) for fault in faults]


def _sentence(fault: ErrorDetails) -> str:
    """The end of a sentence, without the regular expression that the value failed to match."""
    if fault["type"] == "string_pattern_mismatch":
        return "is not accepted: it has characters that are not allowed there"
    return f"is not accepted: {fault['msg']}"


def not_supported(members: Json) -> list[Fault]:
    """The faults of members that the server does not support."""
    return [(name, "is not supported by this server") for name in sorted(NOT_SUPPORTED & members.keys())]


def refuse(faults: Sequence[Fault]) -> None:
    """Raises InvalidClientMetadata or InvalidRedirectUri if there is a fault."""
    if not faults:
        return
    sentence = "; ".join(f"{path} {fault}" for path, fault in faults[:_MAX_FAULTS])
    if any(path.partition(".")[0] == "redirect_uris" for path, _ in faults):
        raise InvalidRedirectUri(sentence, faults=tuple(faults))
    raise InvalidClientMetadata(sentence, faults=tuple(faults))
