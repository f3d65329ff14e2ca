"""The ports of the stores, and the fault that every one of them may raise.

PostgreSQL holds what must never be lost or undone. Redis holds what a user can repeat. `open.py` opens the
real stores, and the contract tests check every implementation.
"""

from shared.store.ports.address_codes import AddressCodes
from shared.store.ports.audit import AuditLog
from shared.store.ports.client_documents import ClientDocuments, DocumentCopies, DocumentCopy
from shared.store.ports.clients import (
    CLIENT_USE_NOTED_EVERY,
    EVERY_CLIENT,
    Change,
    Changes,
    ClientEvent,
    ClientFilter,
    ClientRemovals,
    Clients,
    ClientUses,
    InitialAccessTokens,
)
from shared.store.ports.counters import Counters, Pace, ReplayMarks, SharedCounts
from shared.store.ports.credentials import (
    PASSKEY,
    PASSWORD,
    USE_NOTED_EVERY,
    Credential,
    NewPasskey,
    NewSecondFactor,
    Passkeys,
    SecondFactors,
    UserCredentials,
    UserPasskey,
    UserPassword,
)
from shared.store.ports.deployment import DeploymentRecord
from shared.store.ports.expiry import Expiring, Expiry, GrantPosition, TableSize
from shared.store.ports.faults import (
    Full,
    Misconfigured,
    OutcomeUnknown,
    Stale,
    Taken,
    Unavailable,
    UsedUp,
)
from shared.store.ports.grants import (
    KEPT_FOR,
    Attempt,
    AuthorizationCodes,
    DeviceCodes,
    GrantRow,
    Grants,
    NewFamily,
    Polled,
    Redeemed,
    SpentCode,
    TokenOwner,
    TokenUser,
)
from shared.store.ports.groups import CyclicGroups, Groups, NestedTooDeeply, UserGroup
from shared.store.ports.keys import KeyChange, Keys, StoredKey
from shared.store.ports.leases import Leases
from shared.store.ports.mails import Mail, MailContents, MailKind, Mails, MailsState, NewMail
from shared.store.ports.outages import Outages
from shared.store.ports.outbox import LogoutNotice, Outbox, OutboxState
from shared.store.ports.personal_access_tokens import (
    TOKEN_USE_NOTED_EVERY,
    PersonalAccessToken,
    PersonalAccessTokens,
    PresentedToken,
)
from shared.store.ports.pool import PoolStatistics
from shared.store.ports.protected_resources import ProtectedResources
from shared.store.ports.recovery_links import (
    LiveLink,
    RecoveryContents,
    RecoveryLinks,
    RecoveryRequest,
    RecoveryRequests,
)
from shared.store.ports.refresh_families import (
    MAX_OUTAGE,
    NO_RESOURCES,
    GrantedResources,
    RefreshableGrant,
    RefreshFamilies,
    Rotated,
    Rotation,
)
from shared.store.ports.refusals import MOST_REFUSALS, Refusals
from shared.store.ports.roles import Role, Roles
from shared.store.ports.sessions import (
    ClientAccess,
    Consents,
    Interactions,
    PushedRequests,
    SessionOwner,
    SessionPage,
    SessionRow,
    Sessions,
    SignOutExemption,
)
from shared.store.ports.sign_outs import SignOuts
from shared.store.ports.users import EVERY_USER, UserFilter, Users

__all__ = [
    "CLIENT_USE_NOTED_EVERY",
    "EVERY_CLIENT",
    "EVERY_USER",
    "KEPT_FOR",
    "MAX_OUTAGE",
    "MOST_REFUSALS",
    "NO_RESOURCES",
    "PASSKEY",
    "PASSWORD",
    "TOKEN_USE_NOTED_EVERY",
    "USE_NOTED_EVERY",
    "AddressCodes",
    "Attempt",
    "AuditLog",
    "AuthorizationCodes",
    "Change",
    "Changes",
    "ClientAccess",
    "ClientDocuments",
    "ClientEvent",
    "ClientFilter",
    "ClientRemovals",
    "ClientUses",
    "Clients",
    "Consents",
    "Counters",
    "Credential",
    "CyclicGroups",
    "DeploymentRecord",
    "DeviceCodes",
    "DocumentCopies",
    "DocumentCopy",
    "Expiring",
    "Expiry",
    "Full",
    "GrantPosition",
    "GrantRow",
    "GrantedResources",
    "Grants",
    "Groups",
    "InitialAccessTokens",
    "Interactions",
    "KeyChange",
    "Keys",
    "Leases",
    "LiveLink",
    "LogoutNotice",
    "Mail",
    "MailContents",
    "MailKind",
    "Mails",
    "MailsState",
    "Misconfigured",
    "NestedTooDeeply",
    "NewFamily",
    "NewMail",
    "NewPasskey",
    "NewSecondFactor",
    "Outages",
    "Outbox",
    "OutboxState",
    "OutcomeUnknown",
    "Pace",
    "Passkeys",
    "PersonalAccessToken",
    "PersonalAccessTokens",
    "Polled",
    "PoolStatistics",
    "PresentedToken",
    "ProtectedResources",
    "PushedRequests",
    "RecoveryContents",
    "RecoveryLinks",
    "RecoveryRequest",
    "RecoveryRequests",
    "Redeemed",
    "RefreshFamilies",
    "RefreshableGrant",
    "Refusals",
    "ReplayMarks",
    "Role",
    "Roles",
    "Rotated",
    "Rotation",
    "SecondFactors",
    "SessionOwner",
    "SessionPage",
    "SessionRow",
    "Sessions",
    "SharedCounts",
    "SignOutExemption",
    "SignOuts",
    "SpentCode",
    "Stale",
    "StoredKey",
    "TableSize",
    "Taken",
    "TokenOwner",
    "TokenUser",
    "Unavailable",
    "UsedUp",
    "UserCredentials",
    "UserFilter",
    "UserGroup",
    "UserPasskey",
    "UserPassword",
    "Users",
]
