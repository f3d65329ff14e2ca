"""What several endpoints of the authorization service share."""

from dataclasses import dataclass
from typing import Self

from aiohttp import web

from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.permission import Permissions
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.request.storage_limits import STORAGE_LIMITS
from services.authorization.response.builder import ResponseBuilder
from services.authorization.response.responder import Responder
from services.authorization.wiring.authentication import UserAuthentication
from services.authorization.wiring.reading import RequestReading
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.pages import Pages
from shared.config.settings import Settings
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import CLIENT_KEYS, KEYRING, STORES
from shared.store.open import Stores


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCollaborators:
    """Made once when the process starts. `dispatcher` and `responder` decide and answer for every step."""

    settings: Settings
    stores: Stores
    pages: Pages
    cookies: Cookies
    active_sessions: ActiveSessions
    reading: RequestReading
    authentication: UserAuthentication
    lifecycle: InteractionLifecycle
    permissions: Permissions
    dispatcher: Dispatcher
    sign_in: InteractionSignIn
    responder: Responder

    @classmethod
    def of(cls, app: web.Application) -> Self:
        """Needs KNOWN_CLIENTS, FAILURES, STORAGE_LIMITS, PAGES and the shared resources."""
        settings, stores, pages = app[SETTINGS], app[STORES], app[PAGES]
        cookies, tokens = Cookies.of(settings), TokenIssuer(settings, app[KEYRING])
        active_sessions = ActiveSessions(cookies, stores.sessions)
        reading = RequestReading.of(app)
        authentication = UserAuthentication.of(app, cookies)
        lifecycle = InteractionLifecycle(
            interactions=stores.interactions,
            pushed_requests=stores.pushed_requests,
            reader=reading.reader,
            cookies=cookies,
            limits=app[STORAGE_LIMITS],
            lifetime=settings.interaction_lifetime,
            origin=settings.origin,
        )
        permissions = Permissions(stores.users, stores.groups)
        dispatcher = Dispatcher(
            active_sessions, tokens, stores.second_factors, permissions, settings.second_factor
        )
        sign_in = InteractionSignIn(
            authentication.new_sessions, lifecycle, stores.second_factors, settings.second_factor
        )
        responses = ResponseBuilder(
            settings=settings,
            codes=stores.codes,
            pushed_requests=stores.pushed_requests,
            grants=stores.grants,
            tokens=tokens,
            encryption=Encryption(app[CLIENT_KEYS]),
        )
        return cls(
            settings=settings,
            stores=stores,
            pages=pages,
            cookies=cookies,
            active_sessions=active_sessions,
            reading=reading,
            authentication=authentication,
            lifecycle=lifecycle,
            permissions=permissions,
            dispatcher=dispatcher,
            sign_in=sign_in,
            responder=Responder(responses, pages, settings.session_management),
        )
