"""The contents of the pages that sign a user out."""

from dataclasses import dataclass

from shared.browser.pages.views.client import ClientView
from shared.browser.pages.views.form import FormView
from shared.paths import LOGOUT_DONE


@dataclass(frozen=True, slots=True)
class LogoutView:
    """Asks whether to sign out."""

    form: FormView
    username: str | None = None


@dataclass(frozen=True, slots=True)
class SignedOutView:
    """`frames`: front-channel logout URIs that `frame` allows.

    Then the page leads to `return_href` or `done_href`.
    """

    client: ClientView | None
    return_href: str | None = None
    frames: tuple[str, ...] = ()
    done_href: str = LOGOUT_DONE.path
