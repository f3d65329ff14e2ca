"""The look of the pages."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from shared.config.colour import Accent, parse_accent
from shared.config.image import image_type
from shared.config.kinds.lists import listed

MAX_DISPLAY_NAME = 60
MAX_LOGO = 256 * 1024
MAX_LINKS = 6


@dataclass(frozen=True, slots=True)
class FooterLink:
    """A link below every page."""

    text: str
    uri: str


def _display_name(value: str) -> str:
    name = value.strip()
    if not name or len(name) > MAX_DISPLAY_NAME or not name.isprintable():
        raise ValueError(f"must have 1 to {MAX_DISPLAY_NAME} visible characters")
    return name


def _logo_file(value: Path) -> Path:
    try:
        data = value.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot read {value}: {error.strerror}") from None
    if image_type(data) is None:
        raise ValueError(f"{value} is not a PNG, JPEG, GIF, WebP or SVG image")
    if len(data) > MAX_LOGO:
        raise ValueError(f"{value} has more than {MAX_LOGO // 1024} KiB")
    return value


def _accent(value: object) -> object:
    return parse_accent(value) if isinstance(value, str) else value


def _footer_link(value: object) -> object:
    if not isinstance(value, str):
        return value
    text, _, uri = (part.strip() for part in value.partition("="))
    url = urlsplit(uri)
    is_link = (url.scheme == "https" and url.hostname) or (url.scheme == "mailto" and url.path)
    if not text or not text.isprintable() or not is_link or re.search(r"[\s\"'<>\\]", uri):
        raise ValueError("must be links such as Help=https://example.org/help, separated by commas")
    return FooterLink(text, uri)


DisplayedName = Annotated[str, AfterValidator(_display_name)]
LogoFile = Annotated[Path, AfterValidator(_logo_file)]
AccentColour = Annotated[Accent, BeforeValidator(_accent)]
FooterLinks = Annotated[
    tuple[Annotated[FooterLink, BeforeValidator(_footer_link)], ...],
    BeforeValidator(listed),
    Field(max_length=MAX_LINKS),
]
