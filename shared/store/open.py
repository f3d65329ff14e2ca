"""Opens the stores. Only this module knows which store implements which port."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.config.settings import Settings
from shared.store import (
    AuthorizationCodes,
    Changes,
    ClientDocuments,
    ClientRemovals,
    Clients,
    ClientUses,
    Consents,
    Counters,
    DeploymentRecord,
    DeviceCodes,
    DocumentCopies,
    Expiry,
    Grants,
    Groups,
    InitialAccessTokens,
    Interactions,
    Keys,
    Leases,
    Outages,
    Outbox,
    PoolStatistics,
    ProtectedResources,
    PushedRequests,
    RefreshFamilies,
    Refusals,
    ReplayMarks,
    SecondFactors,
    Sessions,
    SharedCounts,
    UserCredentials,
    Users,
)
from shared.store.codecs.client_secrets import SecretRows
from shared.store.codecs.totp_secrets import TotpSecrets
from shared.store.postgres.changes import PostgresChanges
from shared.store.postgres.client_documents import PostgresClientDocuments
from shared.store.postgres.client_removals import PostgresClientRemovals
from shared.store.postgres.client_uses import PostgresClientUses
from shared.store.postgres.clients import PostgresClients
from shared.store.postgres.consents import PostgresConsents
from shared.store.postgres.credentials import PostgresUserCredentials
from shared.store.postgres.deployment import PostgresDeploymentRecord
from shared.store.postgres.expiry import PostgresExpiry
from shared.store.postgres.grants import PostgresGrants
from shared.store.postgres.groups import PostgresGroups
from shared.store.postgres.initial_access_tokens import PostgresInitialAccessTokens
from shared.store.postgres.keys import PostgresKeys
from shared.store.postgres.leases import PostgresLeases
from shared.store.postgres.outages import PostgresOutages
from shared.store.postgres.outbox import PostgresOutbox
from shared.store.postgres.protected_resources import PostgresProtectedResources
from shared.store.postgres.refresh_families import PostgresRefreshFamilies
from shared.store.postgres.second_factors import PostgresSecondFactors
from shared.store.postgres.sessions import PostgresSessionRows
from shared.store.postgres.transport.database import Database
from shared.store.postgres.users import PostgresUsers
from shared.store.probe import Probe
from shared.store.redis.client_documents import RedisDocumentCopies
from shared.store.redis.codes import RedisAuthorizationCodes
from shared.store.redis.counters import RedisCounters
from shared.store.redis.device_codes import RedisDeviceCodes
from shared.store.redis.interactions import RedisInteractions
from shared.store.redis.pushed_requests import RedisPushedRequests
from shared.store.redis.refusals import RedisRefusals
from shared.store.redis.replay_marks import RedisReplayMarks
from shared.store.redis.sessions import RedisSessionContents
from shared.store.redis.shared_counts import RedisSharedCounts
from shared.store.redis.transport.client import RedisClient
from shared.store.sessions import KeptSessions


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Every port, over the deployment's PostgreSQL and Redis."""

    changes: Changes
    database_checks: Mapping[str, Callable[[], str | None]]  # faults found by the poll of `changes`
    database_pool: Callable[[], PoolStatistics]
    keys: Keys
    users: Users
    credentials: UserCredentials
    second_factors: SecondFactors
    groups: Groups
    clients: Clients
    client_documents: ClientDocuments
    client_uses: ClientUses
    client_removals: ClientRemovals
    initial_access_tokens: InitialAccessTokens
    protected_resources: ProtectedResources
    codes: AuthorizationCodes
    device_codes: DeviceCodes
    document_copies: DocumentCopies
    grants: Grants
    refresh_families: RefreshFamilies
    refusals: Refusals
    replay_marks: ReplayMarks
    leases: Leases
    outages: Outages
    deployment: DeploymentRecord
    expiry: Expiry
    outbox: Outbox
    probe: Probe
    sessions: Sessions
    interactions: Interactions
    pushed_requests: PushedRequests
    consents: Consents
    counters: Counters
    shared_counts: SharedCounts


class MissingStore(Exception):
    """A URL is not set."""


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """The stores. They connect when they are first used. Raises MissingStore."""
    if settings.database_url is None or settings.redis_url is None:
        raise MissingStore("set OSTIARY_DATABASE_URL and OSTIARY_REDIS_URL, or use `ostiary run`")
    url, direct_url = settings.database_url, settings.database_direct_url
    is_pooled = direct_url not in (None, url)
    database = Database.open(url.get_secret_value(), size=settings.database_pool_size, is_pooled=is_pooled)
    alone = Database.open(url.get_secret_value(), size=1, is_pooled=is_pooled)
    changes = PostgresChanges(database)
    secret_keys = [key.get_secret_value() for key in settings.secret_key]
    clients = PostgresClients(database, SecretRows(secret_keys))
    redis = RedisClient.open(settings.redis_url.get_secret_value())
    try:
        yield Stores(
            changes=changes,
            database_checks={
                "postgresql is writable": changes.writable_fault,
                "postgresql timeouts": changes.timeout_fault,
            },
            database_pool=database.statistics,
            keys=PostgresKeys(database),
            users=PostgresUsers(database),
            credentials=PostgresUserCredentials(database),
            second_factors=PostgresSecondFactors(database, TotpSecrets(secret_keys)),
            groups=PostgresGroups(database),
            clients=clients,
            client_documents=PostgresClientDocuments(database, clients),
            client_removals=PostgresClientRemovals(database),
            client_uses=PostgresClientUses(database),
            initial_access_tokens=PostgresInitialAccessTokens(database),
            protected_resources=PostgresProtectedResources(database),
            codes=RedisAuthorizationCodes(redis),
            device_codes=RedisDeviceCodes(redis),
            document_copies=RedisDocumentCopies(redis),
            grants=PostgresGrants(database),
            refresh_families=PostgresRefreshFamilies(database),
            refusals=RedisRefusals(redis),
            replay_marks=RedisReplayMarks(redis),
            leases=PostgresLeases(database),
            outages=PostgresOutages(alone),
            deployment=PostgresDeploymentRecord(database),
            expiry=PostgresExpiry(database),
            outbox=PostgresOutbox(database),
            probe=Probe(database, redis, (direct_url or url).get_secret_value()),
            sessions=KeptSessions(
                PostgresSessionRows(database), RedisSessionContents(redis, settings.session_idle_lifetime)
            ),
            interactions=RedisInteractions(redis),
            pushed_requests=RedisPushedRequests(redis),
            consents=PostgresConsents(database),
            counters=RedisCounters(redis),
            shared_counts=RedisSharedCounts(redis),
        )
    finally:
        await redis.close()
        alone.close()
        database.close()
