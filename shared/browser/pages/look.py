"""The look of the pages that an operator chooses: name, logo, accent colour and links."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self
from urllib.parse import urlsplit

from shared.config.colour import Accent, accent_style
from shared.config.image import GIF, JPEG, PNG, SVG, WEBP, image_type
from shared.config.kinds.look import FooterLink
from shared.config.settings import Settings

IMAGE_SUFFIXES: Mapping[str, str] = MappingProxyType(
    {PNG: ".png", JPEG: ".jpeg", GIF: ".gif", WEBP: ".webp", SVG: ".svg"}
)
STYLE, MARK = "pages.css", "mark.svg"

_MARK_LIGHT, _MARK_DARK = b"#0f5e5a", b"#6fd3c7"  # of mark.svg


@dataclass(frozen=True, slots=True)
class Look:
    """What every page shows. `logo`: the name of its file among the assets; None: the mark of Ostiary."""

    name: str
    links: tuple[FooterLink, ...] = ()
    accent: Accent | None = None
    logo: str | None = None
    logo_bytes: bytes = b""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The look that the settings choose. Raises OSError: the logo has gone since they were read."""
        name = settings.name or urlsplit(settings.issuer).netloc
        if settings.logo_file is None:
            return cls(name, settings.footer_links, settings.accent_colour)
        logo = settings.logo_file.read_bytes()
        file = f"logo{IMAGE_SUFFIXES[image_type(logo) or SVG]}"
        return cls(name, settings.footer_links, settings.accent_colour, file, logo)

    @property
    def icon(self) -> str:
        """The file that browsers show beside the title of a page."""
        return self.logo or MARK

    def assets(self, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
        """The static files in this look."""
        changed = dict(files)
        if self.accent:
            changed[STYLE] += accent_style(self.accent).encode()
            mark = files[MARK].replace(_MARK_LIGHT, self.accent.light.encode())
            changed[MARK] = mark.replace(_MARK_DARK, self.accent.dark.encode())
        if self.logo:
            changed[self.logo] = self.logo_bytes
        return changed
