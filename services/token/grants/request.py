"""The token request, as every grant gets it: RFC 6749 §3.2."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.live.randomness import new_id
from shared.oauth.client.record import Client
from shared.oauth.parameters import Parameters
from shared.oauth.resource.registry import ResourceRegistry
from shared.oauth.sender.sender import Sender
from shared.store import Attempt, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """The request of an authenticated client. `resources`: the APIs that it may name.

    `sender`: the key that the client has proved, if any. `completed_at` and `deadline` are monotonic times.
    """

    client: Client
    parameters: Parameters
    sender: Sender
    resources: ResourceRegistry
    now: datetime
    completed_at: float
    deadline: float
    is_abandoned: Callable[[], bool]

    def attempt(self, *, is_proved: bool) -> Attempt:
        """A new attempt to redeem a code. Raises Unavailable.

        *is_proved*: the request proved a code challenge or the client's identity, so the code alone was not
        enough for it.
        """
        self.check_awaited()
        completed_at = self.completed_at if is_proved else None
        return Attempt(attempt_id=new_id(), deadline=self.deadline, completed_at=completed_at)

    def check_awaited(self) -> None:
        """Called before anything is spent. Raises Unavailable if the client has closed the connection."""
        if self.is_abandoned():
            raise Unavailable("the client has closed the connection")
