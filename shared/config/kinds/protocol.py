"""What the protocol names: response types, signing algorithms, languages."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field

from shared.config.kinds.lists import listed

ResponseType = Literal[
    "code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"
]
SigningAlgorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
UILocale = Literal["en", "de", "fr", "es", "it", "pt", "nl", "pl", "ja", "zh", "ar"]

RESPONSE_TYPES: tuple[ResponseType, ...] = get_args(ResponseType)
SIGNING_ALGORITHMS: tuple[SigningAlgorithm, ...] = ("RS256", "ES256", "EdDSA")  # by default
UI_LOCALES: tuple[UILocale, ...] = get_args(UILocale)


def _response_types(value: object) -> object:
    response_types = listed(value)
    return RESPONSE_TYPES if response_types == ("all",) else response_types


def _with_rs256(value: tuple[SigningAlgorithm, ...]) -> tuple[SigningAlgorithm, ...]:
    if "RS256" not in value:
        raise ValueError("must include RS256, which every client may use")
    return value


ResponseTypes = Annotated[tuple[ResponseType, ...], BeforeValidator(_response_types), Field(min_length=1)]
SigningAlgorithms = Annotated[
    tuple[SigningAlgorithm, ...], BeforeValidator(listed), AfterValidator(_with_rs256)
]
UILocales = Annotated[tuple[UILocale, ...], BeforeValidator(listed), Field(min_length=1)]
