"""What kind of answer is asked for, and how it travels: OAuth 2.0 Multiple Response Types. Pure."""

from collections.abc import Collection
from typing import Literal

from shared.model import Client
from shared.oauth.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from shared.oauth.parameters import Parameters

ResponseMode = Literal["query", "fragment", "form_post"]

IMPLEMENTED = frozenset({"code"})


def response_type_of(parameters: Parameters) -> str:
    """The response type, its values in the order in which they are registered. Empty where it is missing."""
    return " ".join(sorted((parameters["response_type"] or "").split(" ")))


def _default_mode(response_type: str) -> ResponseMode:
    is_front_channel = not {"id_token", "token"}.isdisjoint(response_type.split(" "))
    return "fragment" if is_front_channel else "query"


def safe_response_mode(parameters: Parameters) -> ResponseMode:
    """The mode of the answer, errors included: the default of the response type where the one asked for is
    unknown or would put a token into a query (OAuth 2.0 Multiple Response Types §5)."""
    default = _default_mode(response_type_of(parameters))
    match parameters["response_mode"]:
        case ("fragment" | "form_post") as mode:
            return mode
        case "query" if default == "query":
            return "query"
        case _:
            return default


def check_response_type(parameters: Parameters, client: Client, offered: Collection[str]) -> None:
    """Raises InvalidRequest, UnsupportedResponseType, UnauthorizedClient."""
    parameters.require("response_type")
    response_type = response_type_of(parameters)
    if response_type not in IMPLEMENTED or response_type not in offered:
        raise UnsupportedResponseType("response_type is not supported")
    if response_type not in client.response_types or "authorization_code" not in client.grant_types:
        raise UnauthorizedClient("response_type is not registered for this client")


def check_response_mode(parameters: Parameters) -> None:
    """Raises InvalidRequest."""
    asked = parameters["response_mode"]
    if asked is not None and asked != safe_response_mode(parameters):
        raise InvalidRequest("response_mode is unknown or does not fit the response type")
