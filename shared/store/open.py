"""Opens the stores. Only this module knows which store implements which port."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from shared.config.settings import Settings
from shared.process.operator_error import OperatorError
from shared.store import (
    AddressCodes,
    AuditLog,
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
    MailContents,
    Mails,
    Outages,
    Outbox,
    Passkeys,
    PersonalAccessTokens,
    PoolStatistics,
    ProtectedResources,
    PushedRequests,
    RecoveryContents,
    RecoveryLinks,
    RecoveryRequests,
    RefreshFamilies,
    Refusals,
    ReplayMarks,
    Roles,
    SecondFactors,
    Sessions,
    SharedCounts,
    SignOuts,
    UserCredentials,
    Users,
)
from shared.store.codecs.client_secrets import SecretRows
from shared.store.codecs.sealed_values import SealedValues
from shared.store.codecs.totp_secrets import TotpSecrets
from shared.store.postgres.address_codes import PostgresAddressCodes
from shared.store.postgres.audit import PostgresAuditLog
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
from shared.store.postgres.mails import PostgresMails, SealedMails
from shared.store.postgres.outages import PostgresOutages
from shared.store.postgres.outbox import PostgresOutbox
from shared.store.postgres.passkeys import PostgresPasskeys
from shared.store.postgres.personal_access_tokens import PostgresPersonalAccessTokens
from shared.store.postgres.protected_resources import PostgresProtectedResources
from shared.store.postgres.recovery_links import PostgresRecoveryLinks
from shared.store.postgres.recovery_requests import PostgresRecoveryRequests
from shared.store.postgres.refresh_families import PostgresRefreshFamilies
from shared.store.postgres.roles import PostgresRoles
from shared.store.postgres.second_factors import PostgresSecondFactors
from shared.store.postgres.sessions import PostgresSessionRows
from shared.store.postgres.sign_outs import PostgresSignOuts
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
from shared.store.store_spans import TracedDatabase, TracedTopology


class Stores:
    """Every port, over the deployment's PostgreSQL and Redis."""

    def __init__(
        self, settings: Settings, database: Database, alone: Database, redis: RedisClient, probe: Probe
    ) -> None:
        secret_keys = settings.secret_keys
        clients = PostgresClients(database, SecretRows(secret_keys))
        changes = PostgresChanges(database)

        self.changes: Changes = changes
        self.keys: Keys = PostgresKeys(database)
        self.deployment: DeploymentRecord = PostgresDeploymentRecord(database)
        self.leases: Leases = PostgresLeases(database)
        self.outages: Outages = PostgresOutages(alone)
        self.expiry: Expiry = PostgresExpiry(database)
        self.outbox: Outbox = PostgresOutbox(database)
        mail_contents = SealedValues(secret_keys, "mail", MailContents)
        sealed_mails = SealedMails(mail_contents)
        self.mails: Mails = PostgresMails(database, mail_contents)
        self.audit_log: AuditLog = PostgresAuditLog(database)

        self.users: Users = PostgresUsers(database, sealed_mails)
        self.credentials: UserCredentials = PostgresUserCredentials(database, sealed_mails)
        self.passkeys: Passkeys = PostgresPasskeys(database)
        self.second_factors: SecondFactors = PostgresSecondFactors(
            database, TotpSecrets(secret_keys), sealed_mails
        )
        self.recovery_links: RecoveryLinks = PostgresRecoveryLinks(database, sealed_mails)
        self.personal_access_tokens: PersonalAccessTokens = PostgresPersonalAccessTokens(database)
        self.recovery_requests: RecoveryRequests = PostgresRecoveryRequests(
            database, SealedValues(secret_keys, "recovery request", RecoveryContents)
        )
        self.address_codes: AddressCodes = PostgresAddressCodes(database, sealed_mails)
        self.groups: Groups = PostgresGroups(database)
        self.roles: Roles = PostgresRoles(database)
        self.sign_outs: SignOuts = PostgresSignOuts(database)

        self.clients: Clients = clients
        self.client_documents: ClientDocuments = PostgresClientDocuments(database, clients)
        self.document_copies: DocumentCopies = RedisDocumentCopies(redis)
        self.client_uses: ClientUses = PostgresClientUses(database)
        self.client_removals: ClientRemovals = PostgresClientRemovals(database)
        self.initial_access_tokens: InitialAccessTokens = PostgresInitialAccessTokens(database)
        self.protected_resources: ProtectedResources = PostgresProtectedResources(database)
        self.refusals: Refusals = RedisRefusals(redis)

        self.interactions: Interactions = RedisInteractions(redis)
        self.pushed_requests: PushedRequests = RedisPushedRequests(redis)
        self.sessions: Sessions = KeptSessions(
            PostgresSessionRows(database, sealed_mails),
            RedisSessionContents(redis, settings.session_idle_lifetime),
        )
        self.consents: Consents = PostgresConsents(database)

        self.codes: AuthorizationCodes = RedisAuthorizationCodes(redis)
        self.device_codes: DeviceCodes = RedisDeviceCodes(redis)
        self.grants: Grants = PostgresGrants(database)
        self.refresh_families: RefreshFamilies = PostgresRefreshFamilies(database)

        self.replay_marks: ReplayMarks = RedisReplayMarks(redis)
        self.counters: Counters = RedisCounters(redis)
        self.shared_counts: SharedCounts = RedisSharedCounts(redis)

        self.probe = probe
        self.database_pool: Callable[[], PoolStatistics] = database.statistics
        self.database_checks: Mapping[str, Callable[[], str | None]] = {
            "postgresql is writable": changes.writable_fault,
            "postgresql timeouts": changes.timeout_fault,
        }
        """Faults found by the poll of `changes`."""


class MissingStore(OperatorError):
    """A URL is not set."""


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """The stores. They connect when they are first used. Raises MissingStore."""
    if settings.database_url is None or settings.redis_url is None:
        raise MissingStore("set OSTIARY_DATABASE_URL and OSTIARY_REDIS_URL, or use `ostiary run`")
    url, direct_url = settings.database_url, settings.database_direct_url
    is_pooled = direct_url not in (None, url)
    kind = TracedDatabase if settings.traces_endpoint else Database
    database = kind.open(url.get_secret_value(), size=settings.database_pool_size, is_pooled=is_pooled)
    alone = Database.open(url.get_secret_value(), size=1, is_pooled=is_pooled)
    redis = RedisClient.open(settings.redis_url.get_secret_value())
    if settings.traces_endpoint:
        redis = redis.within(TracedTopology)
    probe = Probe(database, redis, (direct_url or url).get_secret_value())
    try:
        yield Stores(settings, database, alone, redis, probe)
    finally:
        await redis.close()
        alone.close()
        database.close()
