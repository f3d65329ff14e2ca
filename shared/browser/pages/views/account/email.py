"""The page of the user's address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

EmailFault = Literal["email", "code", "taken", "throttled"]
"""No address; a wrong code; somebody else's address; too many codes."""


@dataclass(frozen=True, slots=True)
class EmailView:
    """The user's address, and the one to which a code was mailed; `typed`: what was refused as an address."""

    action: str
    email: str | None
    is_verified: bool
    pending: str | None = None
    typed: str = ""
    fault: EmailFault | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
