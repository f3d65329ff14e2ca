"""What waits in the database, as metrics: notices, mails, users to sign out, and keys to be replaced."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.worker.job import Job
from shared.config.settings import Settings
from shared.live import clock
from shared.server.metric_table import (
    KEY_AGE_SECONDS,
    KEY_ROTATION_SECONDS,
    MAILS_AGE_SECONDS,
    MAILS_WAITING,
    OUTBOX_AGE_SECONDS,
    OUTBOX_NOTICES,
    SIGN_OUTS_WAITING,
)
from shared.server.metrics import set_gauge
from shared.store import Keys, Mails, Outbox, SignOuts, StoredKey

EVERY = timedelta(seconds=15)


def key_ages(keys: Sequence[StoredKey], now: datetime) -> dict[str, float]:
    """Seconds since the newest usable signing key of each algorithm became active."""
    active = {
        (key.alg, key.activates_at)
        for key in keys
        if key.use == "sig" and not key.is_compromised and key.activates_at and key.activates_at <= now
    }
    newest = {alg: max(at for other, at in active if other == alg) for alg, _ in active}
    return {alg: (now - at).total_seconds() for alg, at in newest.items()}


def _age(oldest: datetime | None, now: datetime) -> float:
    """In seconds; 0: nothing waits."""
    return (now - oldest).total_seconds() if oldest else 0


def state_metrics(outbox: Outbox, mails: Mails, sign_outs: SignOuts, keys: Keys, settings: Settings) -> Job:
    """Show what waits."""

    async def work() -> None:
        now, notices, queued = clock.now(), await outbox.state(), await mails.state()
        set_gauge(OUTBOX_NOTICES, notices.waiting, "waiting")
        set_gauge(OUTBOX_NOTICES, notices.given_up, "given_up")
        set_gauge(OUTBOX_AGE_SECONDS, _age(notices.oldest, now))
        set_gauge(MAILS_WAITING, queued.waiting)
        set_gauge(MAILS_AGE_SECONDS, _age(queued.oldest, now))
        set_gauge(SIGN_OUTS_WAITING, await sign_outs.waiting())
        set_gauge(KEY_ROTATION_SECONDS, settings.key_rotation.total_seconds())
        for alg, age in key_ages(await keys.load(), now).items():
            if alg in settings.signing_algorithms:
                set_gauge(KEY_AGE_SECONDS, age, alg)

    return Job(name="state_metrics", work=work, every=EVERY, is_leased=False)
