"""The issuer, and what browsers and clients compare with it."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator

from shared.config.kinds.lists import listed
from shared.config.loopback import is_loopback
from shared.config.origin import has_default_port, leading_origin
from shared.config.related_origins import few_labels, passkey_origin, rp_id
from shared.paths import PREFIX


def issuer(value: str) -> str:
    """An issuer (Discovery 1.0 §3): https, no query, no fragment; http only for loopback hosts."""
    if value != value.lower() or re.search(r"\s", value):
        raise ValueError("must be written in lower case and without spaces: clients compare it byte for byte")
    if not value.isascii():
        raise ValueError("must have the host in its ASCII form, such as https://xn--bcher-kva.example/oidc")
    if (origin := leading_origin(value)) is None:
        raise ValueError(f"must look like https://id.example.org{PREFIX}")
    if value != origin + PREFIX:
        raise ValueError(f"must end in {PREFIX}")
    if has_default_port(origin):
        raise ValueError("must not contain the default port of its scheme")
    if origin.startswith("http:") and not is_loopback(urlsplit(origin).hostname or ""):
        raise ValueError("must use https, except for a loopback host")
    return value


def _origin(value: str) -> str:
    if leading_origin(value.lower()) != value.lower().removesuffix("/"):
        raise ValueError("must be origins such as https://files.example.org")
    return value.removesuffix("/")


def _document(value: str) -> str:
    """The URL of a client ID metadata document, a host, or `*.` and a host."""
    if value.startswith("https://"):
        return value
    if not re.fullmatch(r"(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*", value):
        raise ValueError("must be https URLs, or hosts such as example.org and *.example.org, in lower case")
    return value


Issuer = Annotated[str, AfterValidator(issuer)]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(listed)]
RpId = Annotated[str, AfterValidator(rp_id)]
PasskeyOrigins = Annotated[
    tuple[Annotated[str, AfterValidator(passkey_origin)], ...],
    BeforeValidator(listed),
    AfterValidator(few_labels),
]
Documents = Annotated[tuple[Annotated[str, AfterValidator(_document)], ...], BeforeValidator(listed)]
