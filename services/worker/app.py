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
from services.worker.logout_notices import NoticeDelivery, logout_notices
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
    settings, opened = app[SETTINGS], app[STORES]
    tokens, encryption = TokenIssuer(settings, app[KEYRING]), Encryption(app[CLIENT_KEYS])
    mail = settings.mail_server
    return (
        heartbeat(opened.outages),
        key_schedule(opened.keys, settings),
        audit_sealing(opened.audit_log, app[KEYRING]),
        expiry(opened.expiry, settings),
        growth(opened.expiry),
        state_metrics(opened.outbox, opened.mails, opened.sign_outs, opened.keys, settings),
        sign_outs(opened.sign_outs),
        client_removal(opened.client_removals),
        client_expiry(opened.client_uses, opened.client_documents, opened.initial_access_tokens, settings),
        logout_notices(NoticeDelivery(opened.outbox, app[CLIENTS], tokens, encryption, app[FETCHER])),
        *(_mail_jobs(opened, settings, mail) if mail else ()),
    )


def _mail_jobs(opened: Stores, settings: Settings, server: MailServer | MailFolder) -> tuple[Job, ...]:
    mails = RecoveryMails(opened.users, opened.recovery_links, settings.issuer, settings.ui_locales)
    return (
        recovery_requests(opened.recovery_requests, mails),
        mail_delivery(opened.mails, settings, server),
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
