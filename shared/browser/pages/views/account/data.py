"""The page of the user's data, and of the end of the account."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AccountDataView:
    """Offers the user's data, and to delete the account; `is_wrong`: the typed name is another one."""

    action: str
    username: str
    is_wrong: bool = False
    hidden: Mapping[str, str] = field(default_factory=dict)
