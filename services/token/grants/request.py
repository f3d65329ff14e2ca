"""A token request, as grants see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.live.randomness import new_id
from shared.oauth.client.record import Client
from shared.oauth.parameters import Parameters
from shared.store import Attempt, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """What an authenticated client asks for, and when it did. The last two times are monotonic."""

    client: Client
    form: Parameters
    now: datetime
    completed_at: float
    deadline: float
    is_abandoned: Callable[[], bool]

    def attempt(self, *, is_proved: bool) -> Attempt:
        """A new attempt to redeem a code. Raises Unavailable.

        *is_proved*: the request proved a code challenge or the client's identity, so it is no thief's that
        only knows the code.
        """
        self.check_awaited()
        completed_at = self.completed_at if is_proved else None
        return Attempt(attempt_id=new_id(), deadline=self.deadline, completed_at=completed_at)

    def check_awaited(self) -> None:
        """Before anything is spent. Raises Unavailable: the client has closed the connection."""
        if self.is_abandoned():
            raise Unavailable("the client has closed the connection")
