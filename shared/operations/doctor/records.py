"""Whether the keys, the clients and the logout notices in PostgreSQL are what the settings need."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from shared.codec.wrapping import CannotUnwrap
from shared.config.settings import Settings
from shared.live import clock
from shared.live.keyring import open_keys
from shared.oauth.client.responses import unsigned_responses
from shared.oauth.tokens.keys import NoKey
from shared.operations.clients import every_client
from shared.operations.deployment import stranded_passkeys, stranded_sentence
from shared.operations.doctor.findings import Finding, bad, good, insecure_findings, signing_finding
from shared.operations.outbox import MOST_SHOWN
from shared.store import LogoutNotice, StoredKey, Unavailable
from shared.store.open import Stores

MAX_OVERDUE = timedelta(minutes=10)
SEALING = "sealing"


async def keys(settings: Settings, stores: Stores) -> Finding:
    """Whether they can be used."""
    try:
        rows = await stores.keys.load()
    except Unavailable as fault:
        return bad("Keys", f"cannot be read ({fault})")
    return keys_finding(rows, settings, clock.now())


def keys_finding(rows: Sequence[StoredKey], settings: Settings, now: datetime) -> Finding:
    """Whether the secret decrypts every key, and each algorithm has an active and a next key."""
    try:
        keyring = open_keys(rows, settings.secret_keys)
    except CannotUnwrap as fault:
        return bad(
            "Keys", f"OSTIARY_SECRET_KEY does not decrypt {fault}: also set the secret that encrypted it"
        )
    missing = []
    for alg in settings.signing_algorithms:
        try:
            keyring.signer(alg, now)
        except NoKey:
            missing.append(f"active {alg}")
        if not any(key.alg == alg and key.activates_at is None and not key.is_compromised for key in rows):
            missing.append(f"next {alg}")
    try:
        keyring.sealer(now)
    except NoKey:
        missing.append(SEALING)
    if missing:
        return bad("Keys", f"no {', no '.join(missing)} key: a token service creates them when it starts")
    return good("Keys", "each algorithm has an active and a next key, and the secret decrypts them")


async def clients(settings: Settings, stores: Stores) -> list[Finding]:
    """Whether the deployment signs each response by the algorithm that its client registered, and which
    clients may redirect over http.
    """
    unsigned: dict[str, str] = {}
    insecure: list[str] = []
    try:
        async for client in every_client(stores.clients):
            if algorithms := dict(unsigned_responses(client, settings.signing_algorithms)).values():
                unsigned[client.client_id] = ", ".join(sorted(set(algorithms)))
            if client.allow_insecure_redirects:
                insecure.append(client.client_id)
    except Unavailable as fault:
        return [bad("Clients", f"cannot be read ({fault})")]
    return [signing_finding(unsigned), *insecure_findings(insecure)]


async def passkeys(settings: Settings, stores: Stores) -> Finding:
    """Whether browsers offer the passkeys of all users."""
    try:
        return passkeys_finding(await stores.passkeys.count_by_rp_id(), settings.rp_id)
    except Unavailable as fault:
        return bad("Passkeys", f"cannot be read ({fault})")


def passkeys_finding(count_by_rp_id: Mapping[str, int], rp_id: str) -> Finding:
    """Whether all passkeys are for the domain that pages ask browsers for."""
    if stranded := stranded_passkeys(count_by_rp_id, rp_id):
        return bad("Passkeys", stranded_sentence(stranded, rp_id))
    return good("Passkeys", f"{sum(count_by_rp_id.values())}, for {rp_id}")


async def outbox(stores: Stores) -> Finding:
    """Whether logout notices arrive."""
    try:
        notices = await stores.outbox.list(MOST_SHOWN)
    except Unavailable as fault:
        return bad("Logout notices", f"cannot be read ({fault})")
    return outbox_finding(notices, clock.now())


def outbox_finding(notices: Sequence[LogoutNotice], now: datetime) -> Finding:
    """Whether every client has accepted its logout notices, or is about to get them."""
    given_up = sorted({notice.client_id for notice in notices if notice.given_up_at})
    if given_up:
        message = (
            f"{', '.join(given_up)} did not accept their notices:"
            " see `ostiary outbox list`, then `ostiary outbox retry`"
        )
        return bad("Logout notices", message)
    if any(now - notice.due_at > MAX_OVERDUE for notice in notices):
        return bad("Logout notices", "they are overdue: check that a token service or a worker is running")
    late = [notice for notice in notices if notice.tries]
    return good("Logout notices", f"{len(late)} will be retried" if late else "all delivered")
