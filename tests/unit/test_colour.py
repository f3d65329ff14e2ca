"""The accent colour: what can be read is accepted, and what follows from it can be read too."""

import random
import re
from itertools import product

import pytest

from shared.browser.pages.assets import FOLDER
from shared.config import colour
from shared.config.colour import DARK, LIGHT, READABLE, Accent, accent_style, contrast, parse_accent
from tests.planted import planted
from tests.planted.look import takes_any_colour

Rgb = tuple[int, int, int]


def rgb(text: str) -> Rgb:
    """The three values of `#rrggbb`."""
    red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def test_contrast_is_that_of_wcag() -> None:
    """The extremes, and an example of its calculators."""
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert contrast((12, 34, 56), (12, 34, 56)) == 1


def test_the_backgrounds_are_those_of_the_style_sheet() -> None:
    """As `pages.css` has them, light and then dark."""
    style = (FOLDER / "pages.css").read_text("utf-8")
    for name in ("card", "paper", "fill"):
        declared = [
            value if len(value) == 7 else "#" + "".join(2 * digit for digit in value[1:])
            for value in re.findall(rf"--{name}: (#[0-9a-f]+);", style)
        ]
        assert [rgb(value) for value in declared] == [getattr(LIGHT, name), getattr(DARK, name)]


@planted(takes_any_colour)
def test_whatever_is_accepted_can_be_read() -> None:
    """Text on every background, buttons, and buttons under the pointer, on light and on dark pages."""
    chosen = random.Random(7)  # not a secret
    accepted = 0
    for _ in range(300):
        text = "#{:02x}{:02x}{:02x}".format(*(chosen.randrange(256) for _ in range(3)))
        try:
            style = accent_style(parse_accent(text))
        except ValueError:
            continue
        accepted += 1
        found = [dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]{6})", line)) for line in style.splitlines()]
        for scheme, properties in zip((LIGHT, DARK), found, strict=True):
            accent, strong, on, soft = (
                rgb(properties[f"--{name}"])
                for name in ("accent", "accent-strong", "on-accent", "accent-soft")
            )
            pairs = [(accent, each) for each in (scheme.card, scheme.paper, scheme.fill, soft)]
            for one, other in (*pairs, *product((on,), (accent, strong))):
                assert contrast(one, other) >= READABLE, (text, one, other)
    assert accepted > 50


@planted(takes_any_colour)
@pytest.mark.parametrize("text", ["#ffcc00", "#ffffff", "#0f5e5a,#0f5e5a", "#0f5e5a,#000000"])
def test_what_cannot_be_read_is_refused_with_the_nearest(text: str) -> None:
    """The nearest colour in the message is accepted in its place."""
    with pytest.raises(ValueError, match=r"cannot be read on (light|dark) pages") as refused:
        parse_accent(text)
    nearest = re.findall(r"(#[0-9a-f]{6}) is the nearest", str(refused.value))[0]
    light, _, dark = text.partition(",")
    assert parse_accent(f"{light},{nearest}" if dark else nearest)


def test_a_dark_page_gets_the_same_colour_if_it_can_be_read() -> None:
    """Otherwise it is made lighter; two colours are taken as they are."""
    assert parse_accent("#0F5E5A, #6FD3C7") == Accent("#0f5e5a", "#6fd3c7")
    dark = parse_accent("#0f5e5a").dark
    assert colour.contrast(rgb(dark), DARK.card) >= READABLE > colour.contrast(rgb("#0f5e5a"), DARK.card)


@pytest.mark.parametrize("text", ["", "red", "#fff", "0f5e5a", "#0f5e5a,", "#0f5e5a,red", "#0f5e5a;x:y"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    """Only six hexadecimal digits: nothing else gets into the style sheet."""
    with pytest.raises(ValueError, match="must look like"):
        parse_accent(text)
