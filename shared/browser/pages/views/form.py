"""The form of a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.browser.pages.views.client import ClientView


@dataclass(frozen=True, slots=True)
class FormView:
    """A form that is posted to *action* with the fields *hidden*, and the client that it is filled in for.

    `form_action`: URIs, origins or schemes where the flow may end; the first is shown as the destination.
    `cancel_href`: where the flow ends if the user gives up.
    """

    client: ClientView | None
    action: str
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()
    cancel_href: str | None = None
