"""What several endpoints of the authorization service share, made from the shared resources."""

from aiohttp import web

from services.authorization.authentication.failures import FAILURES
from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.authentication.new_browser import NewBrowserNotices
from services.authorization.authentication.new_session import NewSessions
from services.authorization.authentication.passkey import PasskeyAuthentication
from services.authorization.authentication.password import PasswordAuthentication
from services.authorization.authentication.second_factor import SecondFactorAuthentication
from services.authorization.authentication.throttling import (
    SECOND_FACTOR,
    USER,
    PasskeyThrottle,
    SignInThrottle,
)
from services.authorization.client_documents.known_clients import KNOWN_CLIENTS
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.request.authorization_request import Deployment
from services.authorization.request.parameter_source import ParameterSource
from services.authorization.request.posted import PostedRequests
from services.authorization.request.reader import RequestReader
from services.authorization.request.storage_limits import STORAGE_LIMITS
from services.authorization.response.builder import ResponseBuilder
from services.authorization.response.responder import Responder
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.notices import Notices
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import RelyingParty
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.server.app import SETTINGS
from shared.server.pages import PAGES
from shared.server.resources import CLIENT_KEYS, FETCHER, KEYRING, PASSWORDS, PROTECTED_RESOURCES, STORES


class SharedCollaborators:
    """Made once when the process starts; each may use those above it."""

    def __init__(self, app: web.Application) -> None:
        self.settings = settings = app[SETTINGS]
        self.stores = stores = app[STORES]
        secret_key = settings.secret_key[0].get_secret_value()

        self.pages = app[PAGES]
        self.cookies = Cookies.of(settings)
        self.passwords = app[PASSWORDS]
        self.tokens = TokenIssuer(settings, app[KEYRING])

        self.source = ParameterSource(
            settings, stores.pushed_requests, app[CLIENT_KEYS], app[FETCHER].get_text
        )
        self.reader = RequestReader(
            deployment=Deployment.of(settings),
            known_clients=app[KNOWN_CLIENTS],
            keyring=app[KEYRING],
            resources=app[PROTECTED_RESOURCES],
            tokens=self.tokens,
            source=self.source,
            pages=self.pages,
        )
        self.posted = PostedRequests(stores.interactions, stores.counters, settings.rate_limits)

        self.active_sessions = ActiveSessions(self.cookies, stores.sessions)
        known_browsers = KnownBrowsers(
            self.cookies, tuple(key.get_secret_value() for key in settings.secret_key)
        )
        notices = Notices(stores.mails, self.pages, settings.mail_server is not None)
        self.new_sessions = NewSessions(
            sessions=stores.sessions,
            cookies=self.cookies,
            known_browsers=known_browsers,
            new_browsers=NewBrowserNotices(stores.sessions, known_browsers, notices),
            secret_key=secret_key,
            lifetime=settings.session_lifetime,
        )
        failures, counters, is_on = app[FAILURES], stores.counters, settings.rate_limits
        self.password = PasswordAuthentication(
            credentials=stores.credentials,
            passwords=self.passwords,
            throttle=SignInThrottle(counters, failures, "user", USER, is_on),
            known_browsers=known_browsers,
            sessions=stores.sessions,
            remembered=stores.second_factors,
        )
        self.passkeys = PasskeyAuthentication(
            relying_party=RelyingParty.of(settings.origin),
            challenges=Challenges(secret_key),
            passkeys=stores.passkeys,
            replay_marks=stores.replay_marks,
            sessions=stores.sessions,
            throttle=PasskeyThrottle(failures),
        )
        self.second_factor = SecondFactorAuthentication(
            users=stores.users,
            second_factors=stores.second_factors,
            throttle=SignInThrottle(counters, failures, "second_factor", SECOND_FACTOR, is_on),
            known_browsers=known_browsers,
            sessions=stores.sessions,
            secret_key=secret_key,
        )

        self.lifecycle = InteractionLifecycle(
            interactions=stores.interactions,
            pushed_requests=stores.pushed_requests,
            reader=self.reader,
            cookies=self.cookies,
            limits=app[STORAGE_LIMITS],
            lifetime=settings.interaction_lifetime,
            origin=settings.origin,
        )
        self.dispatcher = Dispatcher(
            self.active_sessions, self.tokens, stores.second_factors, stores.users, settings.second_factor
        )
        self.sign_in = InteractionSignIn(
            self.new_sessions, self.lifecycle, stores.second_factors, settings.second_factor
        )

        self.responder = Responder(
            ResponseBuilder(
                settings=settings,
                codes=stores.codes,
                pushed_requests=stores.pushed_requests,
                grants=stores.grants,
                tokens=self.tokens,
                encryption=Encryption(app[CLIENT_KEYS]),
            ),
            self.pages,
            settings.session_management,
        )
