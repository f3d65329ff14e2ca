"""QR codes (ISO/IEC 18004) as markup for a page: no file, no style, no script."""

import segno
from markupsafe import Markup


def qr_code(text: str) -> Markup:
    """An SVG element that fills its place; dark on light whatever the page's colours are."""
    svg: str = segno.make(text, error="m", micro=False).svg_inline(
        border=3, dark="#000", light="#fff", omitsize=True, svgclass="qr-code", lineclass=None
    )
    return Markup(svg)  # noqa: S704 - made of the modules alone: nothing of the text stands in it
