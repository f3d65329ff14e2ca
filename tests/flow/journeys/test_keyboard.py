"""The person at the keyboard notices what the journeys are about."""

import pytest

from tests.flow.journeys.keyboard import KeyboardUser

SHOWN = "<style>:focus-visible { outline: 2px solid }</style>"
FAULTS = {
    "not shown": "<style>* { outline: none !important }</style><button>a</button><button id='b'>b</button>",
    "out of sight": f"{SHOWN}<button id='b'>b</button><p style='position: fixed; inset: 0; background: red'>",
    "never to #b": f"{SHOWN}<button id='b' tabindex='2'>b</button><button tabindex='1'>a</button>",
    "leads from <input": f"{SHOWN}<input onkeydown='event.preventDefault()'><button id='b'>b</button>",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_fault_of_a_page_is_noticed(scripted: KeyboardUser, fault: str) -> None:
    """A focus that nobody sees, an order that jumps, and a trap."""
    await scripted.page.set_content(FAULTS[fault])
    with pytest.raises(AssertionError, match=fault):
        await scripted.reach("#b")


async def test_a_page_without_faults_is_used(scripted: KeyboardUser) -> None:
    """Forth and back, and what is in a field is replaced."""
    await scripted.page.set_content(f"{SHOWN}<input id='a' value='x' autofocus><p><button id='b'>b</button>")
    await scripted.reach("#b")
    await scripted.type("#a", "y")
    assert await scripted.page.locator("#a").input_value() == "y"
