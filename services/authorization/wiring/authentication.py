"""What authenticates users and begins their sessions: `authentication/`."""

from dataclasses import dataclass
from typing import Self

from aiohttp import web

from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.authentication.new_browser import NewBrowserNotices
from services.authorization.authentication.new_passkey import PasskeyEnrolment
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
from services.authorization.wiring.failures import FAILURES
from shared.browser.cookies import Cookies
from shared.browser.notices import Notices
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import RelyingParty
from shared.operations.new_passkeys import PasskeyCreation
from shared.server.app import SETTINGS
from shared.server.resources import PASSWORDS, STORES


@dataclass(frozen=True, slots=True)
class UserAuthentication:
    """The ways to authenticate, and the sessions that begin afterwards."""

    by_password: PasswordAuthentication
    by_passkey: PasskeyAuthentication
    by_second_factor: SecondFactorAuthentication
    new_passkeys: PasskeyEnrolment
    new_sessions: NewSessions
    notices: Notices

    @classmethod
    def of(cls, app: web.Application, cookies: Cookies) -> Self:
        """Needs FAILURES and the shared resources."""
        settings, stores, failures = app[SETTINGS], app[STORES], app[FAILURES]
        counters, is_on = stores.counters, settings.rate_limits
        secret_key = settings.secret_keys[0]
        known_browsers = KnownBrowsers(cookies, settings.secret_keys)
        notices = Notices.of(settings)
        relying_party = RelyingParty.of(settings.origin, settings.rp_id, settings.passkey_origins)
        challenges = Challenges(secret_key)
        return cls(
            by_password=PasswordAuthentication(
                credentials=stores.credentials,
                passwords=app[PASSWORDS],
                throttle=SignInThrottle(counters, failures, "user", USER, is_on),
                known_browsers=known_browsers,
                sessions=stores.sessions,
                remembered=stores.second_factors,
            ),
            by_passkey=PasskeyAuthentication(
                relying_party=relying_party,
                challenges=challenges,
                passkeys=stores.passkeys,
                replay_marks=stores.replay_marks,
                sessions=stores.sessions,
                throttle=PasskeyThrottle(failures),
            ),
            by_second_factor=SecondFactorAuthentication(
                users=stores.users,
                second_factors=stores.second_factors,
                notices=notices,
                throttle=SignInThrottle(counters, failures, "second_factor", SECOND_FACTOR, is_on),
                known_browsers=known_browsers,
                sessions=stores.sessions,
                secret_key=secret_key,
            ),
            new_passkeys=PasskeyEnrolment(
                creation=PasskeyCreation(relying_party, challenges, stores.replay_marks),
                users=stores.users,
                second_factors=stores.second_factors,
                notices=notices,
            ),
            new_sessions=NewSessions(
                sessions=stores.sessions,
                cookies=cookies,
                known_browsers=known_browsers,
                new_browsers=NewBrowserNotices(stores.sessions, known_browsers, notices),
                secret_key=secret_key,
                lifetime=settings.session_lifetime,
            ),
            notices=notices,
        )
