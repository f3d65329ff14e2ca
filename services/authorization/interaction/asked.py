"""An authorization request that has been read: it holds, it waits for a person, or it is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

from services.authorization.interaction.interaction import Interaction
from services.authorization.request.authorization_request import AuthorizationRequest
from services.authorization.request.parameter_source import Effective
from services.authorization.response.callback import Callback
from shared.browser.language import UI_LOCALES
from shared.oauth.client.record import Client
from shared.oauth.errors import OAuthError
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, Path

INTERACTION = "interaction"
CLIENT = "client"


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that holds, and where its answer goes."""

    client: Client
    callback: Callback
    request: AuthorizationRequest
    locale: str
    effective: Effective

    def after_a_page(self) -> Self:
        """The same request, for whose client the user has answered a page."""
        return replace(self, callback=replace(self.callback, unseen=None))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a person, as the browser to which it is bound brings it back."""

    handle: str
    browser: str  # the browser's handle
    interaction: Interaction
    asked: Asked

    @property
    def key(self) -> bytes:
        return digest(self.handle)

    @property
    def fields(self) -> Mapping[str, str]:
        """What a step's URI and form carry: the interaction, and what a page must know once it is over."""
        ui_locales = self.asked.effective.parameters[UI_LOCALES]
        wanted = {UI_LOCALES: ui_locales} if ui_locales else {}
        return {CLIENT: self.asked.client.client_id, **wanted, INTERACTION: self.handle}

    def at(self, path: Path) -> str:
        """The URI of a step of this interaction. A redirect through the endpoint shows no page of its own."""
        fields = {INTERACTION: self.handle} if path is AUTHORIZATION else self.fields
        return f"{path}?{urlencode(fields)}"


class Refused(Exception):
    """A fault of a request whose callback holds."""

    def __init__(self, callback: Callback, error: OAuthError, locale: str) -> None:
        super().__init__(error.error)
        self.callback = callback
        self.error = error
        self.locale = locale
