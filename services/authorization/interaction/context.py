"""An interaction as a step sees it: the stored record, the validated request, and the browser's handle."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from services.authorization.interaction.interaction import Interaction
from services.authorization.request.validated_request import ValidatedRequest
from shared.browser.form_token import FORM_TOKEN
from shared.browser.language import UI_LOCALES
from shared.browser.pages import ClientView, FormView
from shared.oauth.errors import AccessDenied
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, Path
from shared.web.answers import see_other

INTERACTION = "interaction"
CLIENT = "client"


@dataclass(frozen=True, slots=True)
class InteractionContext:
    """An interaction that its own browser has opened. `handle` and `browser` are the plain handles."""

    handle: str
    browser: str
    interaction: Interaction
    validated: ValidatedRequest

    @property
    def key(self) -> bytes:
        """The key under which the interaction is stored."""
        return digest(self.handle)

    @property
    def binding(self) -> tuple[str, ...]:
        """The handles that only the browser of this interaction has."""
        return self.browser, self.handle

    @property
    def fields(self) -> Mapping[str, str]:
        """The parameters of a step's URI and form: the interaction, and what its error page needs."""
        ui_locales = self.validated.effective.parameters.unique(UI_LOCALES)
        language_fields = {UI_LOCALES: ui_locales} if ui_locales else {}
        return {CLIENT: self.validated.client.client_id, **language_fields, INTERACTION: self.handle}

    def at(self, path: Path) -> str:
        """The URI of a step of this interaction. The authorization endpoint shows no page and needs less."""
        fields = {INTERACTION: self.handle} if path is AUTHORIZATION else self.fields
        return f"{path}?{urlencode(fields)}"

    def resume(self) -> web.Response:
        """Return to the authorization endpoint, which decides what comes next."""
        return see_other(self.at(AUTHORIZATION))

    def form(self, path: Path, *, token: str | None = None, denial: str | None = None) -> FormView:
        """The form of the step at *path*, with the form token *token*.

        *denial*: the description of the error that the client gets if the user cancels; None: no such link.
        """
        client, callback = self.validated.client, self.validated.callback
        return FormView(
            ClientView.of(client),
            path.path,
            hidden={**self.fields, FORM_TOKEN: token} if token else self.fields,
            form_action=(callback.redirect_uri,),
            cancel_href=callback.link(AccessDenied(denial).parameters()) if denial else None,
        )
