"""What a request asks to be given, and how the answer travels. Pure.

OAuth 2.0 Multiple Response Type Encoding Practices 1.0, OAuth 2.0 Form Post Response Mode 1.0, and JARM (JWT
Secured Authorization Response Mode for OAuth 2.0).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from shared.model import Client
from shared.oauth.client_faults import grant_types_for
from shared.oauth.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from shared.oauth.parameters import Parameters

Transport = Literal["query", "fragment", "form_post"]


@dataclass(frozen=True, slots=True)
class ResponseMode:
    """How an answer travels, and whether it does so as a signed JWT."""

    transport: Transport
    is_jwt: bool = False


def response_type_of(parameters: Parameters) -> str:
    """The response type, its values in the order in which they are registered. Empty where it is missing."""
    return " ".join(sorted((parameters["response_type"] or "").split(" ")))


def read_response_type(parameters: Parameters, client: Client, offered: Collection[str]) -> frozenset[str]:
    """What is asked for, of `code`, `id_token` and `token`, if this deployment offers it and the client is
    registered for it. Raises InvalidRequest, UnsupportedResponseType, UnauthorizedClient."""
    parameters.require("response_type")
    response_type = response_type_of(parameters)
    if response_type not in offered:
        raise UnsupportedResponseType("response_type is not supported")
    needed = grant_types_for([response_type])
    if response_type not in client.response_types or not needed.issubset(client.grant_types):
        raise UnauthorizedClient("response_type is not registered for this client")
    return frozenset(response_type.split(" "))


def _default(response_type: str) -> Transport:
    """Multiple Response Types §5: what carries a token travels in the fragment."""
    return "query" if {"id_token", "token"}.isdisjoint(response_type.split(" ")) else "fragment"


def response_mode_of(parameters: Parameters) -> ResponseMode | None:
    """The mode asked for, or the default of the response type. None: it is unknown, or would put a token into
    a query (Multiple Response Types §5, JARM §2.3.1)."""
    default = _default(response_type_of(parameters))
    match (parameters["response_mode"] or default).partition("."):
        case ("jwt", "", ""):
            return ResponseMode(default, is_jwt=True)
        case (("fragment" | "form_post") as transport, "", ""):
            return ResponseMode(transport)
        case (("fragment" | "form_post") as transport, ".", "jwt"):
            return ResponseMode(transport, is_jwt=True)
        case ("query", "", "") if default == "query":
            return ResponseMode("query")
        case ("query", ".", "jwt") if default == "query":
            return ResponseMode("query", is_jwt=True)
        case _:
            return None


def safe_response_mode(parameters: Parameters) -> ResponseMode:
    """The mode of the answer, errors included: the default where the one asked for does not fit."""
    return response_mode_of(parameters) or ResponseMode(_default(response_type_of(parameters)))


def check_response_mode(parameters: Parameters) -> None:
    """Raises InvalidRequest: the mode asked for is unknown, or does not fit the response type."""
    if response_mode_of(parameters) is None:
        raise InvalidRequest("response_mode is unknown or does not fit the response type")
