"""An authorization request that has been read: it holds, it waits for a person, or it is refused."""

from dataclasses import dataclass
from urllib.parse import urlencode

from services.authorization.intake import Effective
from services.authorization.interaction import Interaction
from services.authorization.request import AuthorizationRequest
from services.authorization.response import Callback
from shared.model import Client
from shared.oauth.errors import OAuthError
from shared.oauth.handle import digest
from shared.paths import Path

INTERACTION = "interaction"


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that holds, and where its answer goes."""

    client: Client
    callback: Callback
    request: AuthorizationRequest
    locale: str
    effective: Effective


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a person, as this browser brings it back."""

    handle: str
    interaction: Interaction
    asked: Asked

    @property
    def key(self) -> bytes:
        return digest(self.handle)

    def at(self, path: Path) -> str:
        """The URI of a step of this interaction."""
        return f"{path}?{urlencode({INTERACTION: self.handle})}"


class Refused(Exception):
    """A fault of a request whose callback holds."""

    def __init__(self, callback: Callback, error: OAuthError, locale: str) -> None:
        super().__init__(error.error)
        self.callback = callback
        self.error = error
        self.locale = locale
