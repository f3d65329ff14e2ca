"""The contents of the pages that sign a user out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.browser.pages.views.client import ClientView
from shared.paths import LOGOUT_DONE


@dataclass(frozen=True, slots=True)
class LogoutView:
    """Asks whether to sign out; `client` is the one that sent the user here."""

    client: ClientView | None
    username: str | None
    action: str
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedOutView:
    """`frames`: front-channel logout URIs that `frame` allows.

    Then the page leads to `return_href` or `done_href`.
    """

    client: ClientView | None
    return_href: str | None = None
    frames: tuple[str, ...] = ()
    done_href: str = LOGOUT_DONE.path
