"""The page of what happened in the account."""

from dataclasses import dataclass

from shared.browser.pages.ago import Ago


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """Something that happened in the user's account.

    `kind`: the event, with the kind of credential if it is about one. `subject`: the application, the token
    or the group or role that it is about. Browser, system and address: where it came from.
    """

    kind: str
    at: Ago
    subject: str | None = None
    browser: str | None = None
    system: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityView:
    """Events, the latest first. `older`: where the rest is; `newest`: where the first are."""

    events: tuple[ActivityEvent, ...]
    older: str | None = None
    newest: str | None = None
