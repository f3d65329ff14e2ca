"""The accent colour of the pages, and whether text in it can be read (WCAG 2.2 §1.4.3). Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

READABLE = 4.5
"""The contrast that text needs."""

WHITE, BLACK = (255, 255, 255), (0, 0, 0)

_COLOUR = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")
_STEPS = 50

Rgb = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scheme:
    """The colours of the pages behind the accent, as the style sheet has them.

    `away`: the end of the scale that is darker than the accent on a light page, and lighter on a dark one.
    """

    name: str
    card: Rgb
    paper: Rgb
    fill: Rgb
    softness: float
    away: Rgb


LIGHT = Scheme("light", (255, 255, 255), (243, 244, 241), (245, 247, 245), 0.08, BLACK)
DARK = Scheme("dark", (22, 30, 29), (14, 20, 19), (28, 38, 37), 0.15, WHITE)


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent on light and on dark pages, as `#rrggbb`."""

    light: str
    dark: str


def _rgb(colour: str) -> Rgb:
    match = _COLOUR.fullmatch(colour)
    if match is None:
        raise ValueError("must look like #0f5e5a, or #0f5e5a,#6fd3c7 for light and dark pages")
    red, green, blue = (int(part, 16) for part in match.groups())
    return red, green, blue


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mix(colour: Rgb, other: Rgb, share: float) -> Rgb:
    """*colour* with a *share* of *other*."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    """WCAG 2.2, relative luminance."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (value / 255 for value in colour)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2)."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _soft(accent: Rgb, scheme: Scheme) -> Rgb:
    return _mix(scheme.card, accent, scheme.softness)


def _contrast_in(accent: Rgb, scheme: Scheme) -> float:
    """The least contrast of text in this colour on any background of the pages."""
    behind = (scheme.card, scheme.paper, scheme.fill, _soft(accent, scheme))
    return min(contrast(accent, each) for each in behind)


def _nearest(accent: Rgb, scheme: Scheme) -> Rgb:
    """The readable colour nearest to *accent* on the way to white or black."""
    steps = (_mix(accent, scheme.away, step / _STEPS) for step in range(_STEPS + 1))
    return next(each for each in steps if _contrast_in(each, scheme) >= READABLE)


def _check(accent: Rgb, scheme: Scheme) -> None:
    if (reached := _contrast_in(accent, scheme)) < READABLE:
        nearest = _hex(_nearest(accent, scheme))
        raise ValueError(
            f"{_hex(accent)} cannot be read on {scheme.name} pages: its contrast is {reached:.1f}, and"
            f" {READABLE} is needed. {nearest} is the nearest that can"
        )


def parse_accent(text: str) -> Accent:
    """One colour for light pages, from which that for dark ones follows, or both. Raises ValueError."""
    light, comma, dark = (part.strip().lower() for part in text.partition(","))
    accent = _rgb(light)
    _check(accent, LIGHT)
    if not comma:
        return Accent(light, _hex(_nearest(accent, DARK)))
    _check(_rgb(dark), DARK)
    return Accent(light, dark)


def _properties(colour: str, scheme: Scheme) -> Iterator[str]:
    accent = _rgb(colour)
    on_accent = max(WHITE, BLACK, key=lambda each: contrast(accent, each))
    yield f"--accent: {colour}"
    yield f"--accent-strong: {_hex(_mix(accent, BLACK if on_accent == WHITE else WHITE, 0.25))}"
    yield f"--on-accent: {_hex(on_accent)}"
    yield f"--accent-soft: {_hex(_soft(accent, scheme))}"


def accent_style(accent: Accent) -> str:
    """The rules that replace the accent of the style sheet."""
    light, dark = ("; ".join(_properties(*each)) for each in ((accent.light, LIGHT), (accent.dark, DARK)))
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
