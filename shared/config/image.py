"""The kinds of images that the pages show, by their first bytes: no name or header is believed. Pure."""

import re

PNG, JPEG, GIF, WEBP, SVG = "image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"

_SVG = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]", re.DOTALL)
_LOOKED_AT = 4096  # bytes before the root element of an SVG


def image_type(data: bytes) -> str | None:
    """The media type of an image. None: it is none that pages show."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if data.startswith(b"\xff\xd8\xff"):
        return JPEG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    return SVG if _SVG.match(data[:_LOOKED_AT]) else None
