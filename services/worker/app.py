"""The worker service. It has no public paths.

Each process of the token service mounts it, unless a deployment runs it alone (`OSTIARY_WORKER`).
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from aiohttp import web

from services.worker.audit_sealing import audit_sealing
from services.worker.client_expiry import client_expiry
from services.worker.client_removal import client_removal
from services.worker.expiry import expiry, growth
from services.worker.heartbeat import heartbeat
from services.worker.job import Job
from services.worker.key_schedule import key_schedule
from services.worker.logout.notices import NoticeDelivery, logout_notices
from services.worker.logout.token import LogoutTokens
from services.worker.mail.delivery import mail_delivery
from services.worker.mail.recovery_requests import recovery_requests
from services.worker.sign_outs import sign_outs
from services.worker.state_metrics import state_metrics
from shared.config.mail_address import MailFolder, MailServer
from shared.config.settings import Settings
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.live.background import under_lease
from shared.live.randomness import new_id
from shared.operations.recovery import RecoveryMails
from shared.server.app import BACKGROUND, SETTINGS
from shared.server.resources import (
    CLIENT_KEYS,
    CLIENTS,
    FETCHER,
    KEYRING,
    STORES,
    client_keys,
    fetcher,
    need,
    stores,
)
from shared.store.open import Stores


def _jobs(app: web.Application) -> tuple[Job, ...]:
    settings, stores, keyring = app[SETTINGS], app[STORES], app[KEYRING]
    tokens, encryption = TokenIssuer(settings, keyring), Encryption(app[CLIENT_KEYS])
    logout_tokens = LogoutTokens(settings.issuer, keyring, tokens, encryption)
    mail = settings.mail_server
    return (
        heartbeat(stores.outages),
        key_schedule(stores.keys, settings),
        audit_sealing(stores.audit_log, keyring),
        expiry(stores.expiry, settings),
        growth(stores.expiry),
        state_metrics(stores.outbox, stores.mails, stores.sign_outs, stores.keys, settings),
        sign_outs(stores.sign_outs),
        client_removal(stores.client_removals),
        client_expiry(stores.client_uses, stores.client_documents, stores.initial_access_tokens, settings),
        logout_notices(NoticeDelivery(stores.outbox, app[CLIENTS], logout_tokens, app[FETCHER])),
        *(_mail_jobs(stores, settings, mail) if mail else ()),
    )


def _mail_jobs(stores: Stores, settings: Settings, server: MailServer | MailFolder) -> tuple[Job, ...]:
    mails = RecoveryMails(stores.users, stores.recovery_links, settings.issuer, settings.ui_locales)
    return (
        recovery_requests(stores.recovery_requests, mails),
        mail_delivery(stores.mails, settings, server),
    )


async def _working(app: web.Application) -> AsyncIterator[None]:
    """Run the jobs while the application runs."""
    leases, holder = app[STORES].leases, new_id()
    async with AsyncExitStack() as running:
        for job in _jobs(app):
            work = under_lease(leases, job.name, holder, job.every, job.work) if job.is_leased else job.work
            loop = app[BACKGROUND].repeating(job.name, work, job.every, patience=job.patience)
            await running.enter_async_context(loop)
        yield


def mount(app: web.Application) -> None:
    """Start the jobs with the application."""
    need(app, stores, fetcher, client_keys, _working)
