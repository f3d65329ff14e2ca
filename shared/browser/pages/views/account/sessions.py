"""The page of the user's sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.done import Done


@dataclass(frozen=True, slots=True)
class DeviceSession:
    """A session of the user: names of browser and system as far as they are known, and where it began."""

    sid: str
    browser: str | None
    system: str | None
    address: str | None
    began: Ago
    used: Ago | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class DeviceSessionsView:
    """The sessions of the user, the current one first."""

    action: str
    sessions: tuple[DeviceSession, ...]
    done: Done | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
