"""The consent step: the user says whether the client may."""

from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from services.authorization.interaction.asked import Waiting
from services.authorization.interaction.context import Desk
from services.authorization.interaction.next_step import Consent, Respond
from services.authorization.response.callback import see_other
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.pages import ClientView, ConsentView
from shared.browser.same_origin import check_same_origin
from shared.model import Session
from shared.oauth.errors import AccessDenied, InvalidRequest
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, CONSENT
from shared.server.metrics import count_event
from shared.store import Consents
from shared.web.form import form, query

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AskConsent:
    """The consent step's collaborators."""

    desk: Desk
    consents: Consents

    async def get(self, request: web.Request) -> web.Response:
        """The question, if it is still to be asked."""
        waiting = await self.desk.open(request, query(request))
        match await self.desk.step(request, waiting):
            case Consent(session):
                return self._page(request, waiting, session)
            case _:
                return see_other(waiting.at(AUTHORIZATION))

    async def post(self, request: web.Request) -> web.Response:
        """The answer. It counts only for the session to which the question was shown."""
        check_same_origin(request, self.desk.settings.origin)
        fields = await form(request)
        waiting = await self.desk.open(request, fields)
        handle = self.desk.cookies.session_of_form(request, fields[FORM_TOKEN], waiting.handle)
        if handle is None:
            return see_other(waiting.at(AUTHORIZATION))
        waiting = replace(waiting, asked=waiting.asked.after_a_page())
        match fields["decision"]:
            case "allow":
                return await self._allow(request, waiting, digest(handle))
            case "deny":
                await self.desk.finish(waiting)
                logger.info("consent_denied", client_id=waiting.asked.client.client_id)
                return self.desk.refuse(waiting.asked, AccessDenied("the user did not allow it"))
            case _:
                raise InvalidRequest("decision must be allow or deny")

    async def _allow(self, request: web.Request, waiting: Waiting, session_key: bytes) -> web.Response:
        """Respond if the session to which the question was shown is still the active one."""
        asked = waiting.asked
        present = await self.desk.present(request, asked, waiting.interaction)
        agreed = replace(present, has_agreed=True) if present else None
        match self.desk.next_step(asked, agreed):
            case Respond(session) if session.session_key == session_key:
                await self.consents.add(
                    session.user_id,
                    asked.client.client_id,
                    asked.request.asked,
                    is_remembered=asked.client.remember_consent,
                )
                count_event("consent")
                await self.desk.finish(waiting)
                return await self.desk.respond(asked, session)
            case _:
                return see_other(waiting.at(AUTHORIZATION))

    def _page(self, request: web.Request, waiting: Waiting, session: Session) -> web.Response:
        asked = waiting.asked
        handle = self.desk.cookies.session_handle(request, session.session_key)
        view = ConsentView(
            ClientView.of(asked.client),
            CONSENT.path,
            session.username,
            asked.request.scope,
            asked.request.claims_beyond_scope,
            {**waiting.fields, FORM_TOKEN: form_token(handle, waiting.handle)},
            (asked.callback.redirect_uri,),
        )
        return self.desk.pages.consent(view, asked.locale)
