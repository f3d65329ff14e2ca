"""The contents of the page that a recovered administrator sees."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class HeldView:
    """Says that addresses and credentials stay as they are until then.

    `href`: where the user goes instead: to their account if they are signed in, else back to the client.
    """

    until: datetime
    href: str | None
    is_signed_in: bool
