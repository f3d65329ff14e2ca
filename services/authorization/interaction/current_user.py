"""The user of a live session, as the decision sees them. Pure."""

from dataclasses import dataclass

from shared.model import Scope, Session
from shared.oauth.authentication_methods import SecondFactor


@dataclass(frozen=True, slots=True)
class CurrentUser:
    """The user of a live session, as one client's request sees them."""

    session: Session
    consented: Scope | None  # what the user has allowed the client before
    sub: str  # the user's identifier for this client
    second_factors: frozenset[SecondFactor] = frozenset()  # read only where `may_need_second_factor`
    is_admitted: bool = True  # to the client, which may allow some groups only
    withheld: frozenset[str] = frozenset()  # requested scope-tokens that the client cannot get for the user
    is_fresh: bool = False  # the session began for this very request
    is_chosen: bool = False  # the user has chosen it for this very request
    has_agreed: bool = False  # to this very request
