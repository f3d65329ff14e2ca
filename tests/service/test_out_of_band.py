"""The out-of-band page, which anyone can link to."""

import pytest

from shared.paths import OUT_OF_BAND, OUT_OF_BAND_ALIAS
from tests.authorization import AuthorizationService
from tests.planted import planted
from tests.planted.browser import shows_whatever_is_called_a_code

CODE = "ac_" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"


@pytest.mark.parametrize("path", [OUT_OF_BAND.path, OUT_OF_BAND_ALIAS.path])
async def test_a_code_is_shown(op: AuthorizationService, path: str) -> None:
    """As the authorization endpoint sends it."""
    page = await op.browser().get(path, {"code": CODE, "state": "s", "iss": "i"})
    assert (page.status, CODE in page.text, 'id="code"' in page.text) == (200, True, True)


@planted(shows_whatever_is_called_a_code)
@pytest.mark.parametrize(
    "text",
    [
        "Call +1 555 0100 now",
        "ac_1",
        CODE + "x",
        CODE[:-1],
        CODE + "\n",
        "at_" + CODE[3:],
        "é" * 46,
        "<b>x</b>",
    ],
)
async def test_no_other_text_is_shown_as_a_code(op: AuthorizationService, text: str) -> None:
    """Other text is not shown as a code, as users would take it for the provider's."""
    page = await op.browser().get(OUT_OF_BAND.path, {"code": text})
    assert 'id="code"' not in page.text
    assert "Something went wrong" in page.text


@pytest.mark.parametrize("error", ["Call_+1_555_0100", "call us now", "x" * 200, "<b>"])
async def test_no_other_text_is_shown_as_an_error(op: AuthorizationService, error: str) -> None:
    """Only well-formed errors are shown."""
    assert error not in (await op.browser().get(OUT_OF_BAND.path, {"error": error})).text
    page = await op.browser().get(OUT_OF_BAND.path, {"error": "access_denied", "code": CODE})
    assert ("access_denied" in page.text, CODE in page.text) == (True, False)
