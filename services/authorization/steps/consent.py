"""The consent step: the user allows or denies what the client requests."""

from dataclasses import dataclass, replace

import structlog
from aiohttp import web

from services.authorization.client_documents.known_clients import KnownClients
from services.authorization.interaction.consent_question import consent_question
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.step import Consent, Respond
from services.authorization.response.responder import Responder
from shared.browser.cookies import Cookies
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.pages import ApiView, ConsentView, Pages
from shared.oauth.errors import AccessDenied, InvalidRequest
from shared.oauth.tokens.handle import digest
from shared.paths import CONSENT
from shared.server.metrics import count_event
from shared.store import Consents

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConsentStep:
    """The collaborators of the consent step."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    responder: Responder
    known_clients: KnownClients
    consents: Consents
    cookies: Cookies
    pages: Pages

    async def get(self, request: web.Request) -> web.Response:
        """Show the question, if consent is still needed."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case Consent() as step:
                return self._page(request, context, step)
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Read the decision. It counts only for the session that was shown the question."""
        context, fields = await self.lifecycle.open_form(request)
        handle = self.cookies.session_of_form(request, fields.unique(FORM_TOKEN), context.handle)
        if handle is None:
            return context.resume()
        context = replace(context, validated=context.validated.after_a_page())
        match fields.unique("decision"):
            case "allow":
                return await self._allow(request, context, digest(handle))
            case "deny":
                await self.lifecycle.finish(context)
                logger.info("consent_denied", client_id=context.validated.client.client_id)
                raise context.validated.refused(AccessDenied("the user denied the request"))
            case _:
                raise InvalidRequest("decision must be allow or deny")

    async def _allow(
        self, request: web.Request, context: InteractionContext, session_key: bytes
    ) -> web.Response:
        """Respond if the session that was shown the question is still active."""
        validated = context.validated
        user = await self.dispatcher.current_user(request, validated, context.interaction)
        agreed = replace(user, has_agreed=True) if user else None
        match self.dispatcher.decide(validated, agreed, context.interaction.proven):
            case Respond(session, withheld) if session.session_key == session_key:
                client = await self.known_clients.keep(validated.client)
                validated = replace(validated.without(withheld), client=client)
                await self.consents.add(
                    session.user_id,
                    client.client_id,
                    validated.request.consent_scope,
                    is_remembered=client.remember_consent,
                )
                count_event("consent")
                await self.lifecycle.finish(context)
                return await self.responder.respond(validated, session)
        return context.resume()

    def _page(self, request: web.Request, context: InteractionContext, step: Consent) -> web.Response:
        validated, session = context.validated.without(step.withheld), step.session
        question = consent_question(validated.request, step.allowed)
        handle = self.cookies.session_handle(request, session.session_key)
        view = ConsentView(
            context.form(CONSENT, token=form_token(handle, context.handle)),
            session.username,
            question.scopes,
            question.claims,
            apis=tuple(
                ApiView.of(resource, scopes, validated.locale) for resource, scopes in question.resources
            ),
            is_more=question.is_more,
        )
        return self.pages.consent(view, validated.locale)
