"""The lifecycle of interactions: begin, open, update, finish."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.authorization.interaction.context import CLIENT, INTERACTION, InteractionContext
from services.authorization.interaction.interaction import Interaction
from services.authorization.request.parameter_source import EffectiveParameters
from services.authorization.request.reader import RequestReader
from services.authorization.request.storage_limits import StorageLimits
from services.authorization.request.validated_request import ValidatedRequest
from shared.browser.cookies import Cookies
from shared.browser.errors import AddressThrottled, CookieMissing, Expired
from shared.browser.language import UI_LOCALES, note_ui_locales
from shared.browser.same_origin import check_same_origin
from shared.live import clock
from shared.live.randomness import new_handle
from shared.oauth.client.record import Client
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.store import Interactions, PushedRequests
from shared.web.client import note_client
from shared.web.form import form, query
from shared.web.forwarded import client_address


@dataclass(frozen=True, slots=True)
class InteractionLifecycle:
    """Stores interactions and binds each to one browser. Every method raises Unavailable."""

    interactions: Interactions
    pushed_requests: PushedRequests
    reader: RequestReader
    cookies: Cookies
    limits: StorageLimits
    lifetime: timedelta
    origin: str

    async def begin(self, request: web.Request, validated: ValidatedRequest) -> InteractionContext:
        """Store a request that waits for the user. Raises AddressThrottled.

        The response must set the cookie of the context's `browser`.
        """
        browser, handle = self.cookies.newest_browser_handle(request), new_handle(Kind.INTERACTION)
        effective = validated.effective
        if self.limits.interaction(effective.parameters, client_address(request), clock.now()):
            raise AddressThrottled("too many sign-ins from this address are incomplete")
        interaction = Interaction(
            parameters=effective.parameters.to_json(),
            browser=digest(browser).hex(),
            pushed=effective.pushed.hex() if effective.pushed else None,
            client_epoch=validated.client.epoch,
            document_hash=_document_hash(validated.client),
        )
        await self.interactions.add(digest(handle), interaction.to_json(), self.lifetime)
        return InteractionContext(handle, browser, interaction, validated)

    async def open(self, request: web.Request, parameters: Parameters) -> InteractionContext:
        """Open the interaction that *parameters* name, for the browser to which it is bound.

        Raises Expired, CookieMissing, InvalidRequest, and as `RequestReader.read`.
        """
        note_ui_locales(request, parameters.unique(UI_LOCALES))
        handle, interaction = await self._find(parameters)
        effective = EffectiveParameters(Parameters.from_json(interaction.parameters), interaction.pushed_key)
        note_ui_locales(request, effective.parameters.unique(UI_LOCALES))
        client = await self.reader.client(effective.parameters)
        note_client(request, client)
        browser = next(filter(interaction.is_of, self.cookies.browser_handles(request)), None)
        if browser is None:
            raise CookieMissing("the cookie of this interaction was not sent", client=client)
        if interaction.document_hash != _document_hash(client):
            raise Expired("the client's document has changed since", client=client)
        if not _is_current(interaction, client):
            raise Expired("the client's grants have been revoked since", client=client)
        validated = self.reader.validate(request, client, effective)
        if interaction.signed_in or interaction.chosen:
            validated = validated.after_a_page()
        return InteractionContext(handle, browser, interaction, validated)

    async def open_page(self, request: web.Request) -> InteractionContext:
        """Open the interaction of a page that the browser asks for. Raises as `open`."""
        return await self.open(request, query(request))

    async def open_form(self, request: web.Request) -> tuple[InteractionContext, Parameters]:
        """Open the interaction of a form, and its fields. Raises as `open`, and UnverifiedRequest."""
        check_same_origin(request, self.origin)
        fields = await form(request)
        return await self.open(request, fields), fields

    async def update(self, context: InteractionContext, interaction: Interaction) -> None:
        """Store the progress of an interaction. Raises Expired."""
        if not await self.interactions.replace(context.key, interaction.to_json()):
            raise Expired("the interaction is over", client=context.validated.client)

    async def finish(self, context: InteractionContext) -> None:
        """End an interaction and its pushed request. Every caller except the first gets Expired."""
        if await self.interactions.end(context.key) is None:
            raise Expired("the interaction is over", client=context.validated.client)
        await self.end_pushed(context.validated)

    async def end_pushed(self, validated: ValidatedRequest) -> None:
        """End the pushed request, if there is one. Raises Expired if it has been answered before."""
        pushed = validated.effective.pushed
        if pushed is not None and not await self.pushed_requests.end(pushed):
            raise Expired("the pushed request has been answered", client=validated.client)

    async def _find(self, parameters: Parameters) -> tuple[str, Interaction]:
        handle = parameters.unique(INTERACTION)
        if handle and is_handle(Kind.INTERACTION, handle):
            members = await self.interactions.find(digest(handle))
            if members and (interaction := Interaction.from_json(members)):
                return handle, interaction
        client_id = parameters.unique(CLIENT)
        client = await self.reader.known_clients.registered(client_id) if client_id else None
        raise Expired("the interaction does not exist any more", client=client)


def _document_hash(client: Client) -> str | None:
    return client.document_hash.hex() if client.document_hash else None


def _is_current(interaction: Interaction, client: Client) -> bool:
    """Whether the epoch is the client's, or the client had none: that of a document, before any consent."""
    is_first = interaction.document_hash is not None and interaction.client_epoch == 0
    return interaction.client_epoch == client.epoch or is_first
