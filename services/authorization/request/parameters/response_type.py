"""Response types and response modes. Pure.

OAuth 2.0 Multiple Response Type Encoding Practices 1.0, OAuth 2.0 Form Post Response Mode 1.0, and JARM (JWT
Secured Authorization Response Mode for OAuth 2.0).
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

from shared.oauth.client.faults import grant_types_for
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Detail, Reason

Transport = Literal["query", "fragment", "form_post"]


@dataclass(frozen=True, slots=True)
class ResponseMode:
    """The transport of a response, and whether it is a signed JWT."""

    transport: Transport
    is_jwt: bool = False


@dataclass(frozen=True, slots=True)
class ResponseType:
    """A combination of `code`, `id_token` and `token`: its registered name, and the grant types it needs."""

    name: str
    values: frozenset[str]
    grant_types: frozenset[str]


def _response_types() -> Iterator[tuple[str, ResponseType]]:
    """The response types by every spelling: the order of the values does not matter (RFC 6749 §3.1.1)."""
    for length in (1, 2, 3):
        for values in combinations(("code", "id_token", "token"), length):
            name = " ".join(values)
            response_type = ResponseType(name, frozenset(values), frozenset(grant_types_for([name])))
            yield from ((" ".join(order), response_type) for order in permutations(values))


_RESPONSE_TYPES = dict(_response_types())

_FOR_TOKENS = {
    "jwt": ResponseMode("fragment", is_jwt=True),
    "fragment": ResponseMode("fragment"),
    "fragment.jwt": ResponseMode("fragment", is_jwt=True),
    "form_post": ResponseMode("form_post"),
    "form_post.jwt": ResponseMode("form_post", is_jwt=True),
}
_MODES: Mapping[Transport, Mapping[str, ResponseMode]] = {
    "fragment": _FOR_TOKENS,
    "query": {
        **_FOR_TOKENS,
        "jwt": ResponseMode("query", is_jwt=True),
        "query": ResponseMode("query"),
        "query.jwt": ResponseMode("query", is_jwt=True),
    },
}
"""The modes by the response type's default. No token in a query: Multiple Response Types §5, JARM §2.3.1."""


def read_response_type(parameters: Parameters, client: Client, offered: Collection[str]) -> frozenset[str]:
    """The requested response type, as the set of its values.

    The deployment must offer it and the client must be registered for it. Raises InvalidRequest,
    UnsupportedResponseType, UnauthorizedClient.
    """
    requested = parameters.require("response_type")
    response_type = _RESPONSE_TYPES.get(requested)
    if response_type is None or response_type.name not in offered:
        detail = Detail.of_value(Reason.RESPONSE_TYPE_UNSUPPORTED, requested)
        raise UnsupportedResponseType("response_type is not supported", detail=detail)
    is_registered = response_type.name in client.response_types
    if not is_registered or not response_type.grant_types.issubset(client.grant_types):
        detail = Detail.of_value(Reason.RESPONSE_TYPE, response_type.name, client.response_types)
        raise UnauthorizedClient("response_type is not registered for this client", detail=detail)
    return response_type.values


def _default(parameters: Parameters) -> Transport:
    """The default transport. A response with a token is sent in the fragment (Multiple Response Types §5)."""
    values = (parameters.unique("response_type") or "").split(" ")
    return "fragment" if "id_token" in values or "token" in values else "query"


def response_mode_of(parameters: Parameters) -> ResponseMode | None:
    """The requested mode, or the default of the response type. None: it is unknown or does not fit."""
    default = _default(parameters)
    return _MODES[default].get(parameters.unique("response_mode") or default)


def safe_response_mode(parameters: Parameters) -> ResponseMode:
    """The mode of the response, errors included: the default if the requested mode does not fit."""
    return response_mode_of(parameters) or ResponseMode(_default(parameters))


def check_response_mode(parameters: Parameters) -> None:
    """Raises InvalidRequest if the requested mode is unknown or does not fit the response type."""
    if response_mode_of(parameters) is None:
        detail = Detail.of_value(Reason.RESPONSE_MODE, parameters.require("response_mode"))
        raise InvalidRequest("response_mode is unknown or does not fit the response type", detail=detail)
