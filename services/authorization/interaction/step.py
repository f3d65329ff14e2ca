"""The steps of an authorization request, as values: each says what it needs. Pure."""

from dataclasses import dataclass

from services.authorization.authentication.proven import Proven
from shared.model import Scope, Session
from shared.oauth.authentication_methods import SecondFactor
from shared.oauth.errors import OAuthError


@dataclass(frozen=True, slots=True)
class Login:
    """Ask the user to log in."""


@dataclass(frozen=True, slots=True)
class ShowSecondFactor:
    """Ask a user who has proven a first factor for one of *second_factors*."""

    proven: Proven
    second_factors: frozenset[SecondFactor]


@dataclass(frozen=True, slots=True)
class AddSecondFactor:
    """Ask a user who has just proven a first factor to add a second one, of these *kinds*."""

    proven: Proven
    kinds: frozenset[SecondFactor]


@dataclass(frozen=True, slots=True)
class ReplacePassword:
    """Ask a user who has just proven a temporary password for another one."""

    proven: Proven


@dataclass(frozen=True, slots=True)
class Create:
    """Ask the user to sign up."""


@dataclass(frozen=True, slots=True)
class SelectAccount:
    """Ask which of the signed-in accounts continues."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Ask whether the client may have what it requests, except the scope-tokens that are `withheld`.

    `allowed`: the scope that needs no question.
    """

    session: Session
    allowed: Scope = ()
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Respond:
    """Send a successful response, without the scope-tokens that are `withheld`."""

    session: Session
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refuse:
    """Send an error response."""

    error: OAuthError


Step = (
    Login
    | ShowSecondFactor
    | AddSecondFactor
    | ReplacePassword
    | Create
    | SelectAccount
    | Consent
    | Respond
    | Refuse
)
