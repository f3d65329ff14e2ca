"""What a user has just done, which the page that follows says once. Pure."""

from typing import cast, get_args

from shared.browser.pages.views.account.done import Done
from shared.oauth.parameters import Parameters
from shared.paths import Path

DONE = "done"


def done_uri(page: Path, done: Done) -> str:
    """The URI of *page* that says what was done."""
    return f"{page}?{DONE}={done}"


def done_of(parameters: Parameters) -> Done | None:
    """What the query says was done: one of the known texts, which anybody may link to."""
    said = parameters.unique(DONE)
    return cast("Done", said) if said in get_args(Done) else None
