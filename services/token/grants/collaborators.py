"""The stores, issuers and settings that grants use."""

from dataclasses import dataclass

from shared.config.settings import Settings
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.store import AuthorizationCodes, DeviceCodes, Grants, RefreshFamilies


@dataclass(frozen=True, slots=True)
class Collaborators:
    """The collaborators of every grant, made once when the process starts."""

    codes: AuthorizationCodes
    device_codes: DeviceCodes
    grants: Grants
    refresh_families: RefreshFamilies
    tokens: TokenIssuer
    encryption: Encryption
    settings: Settings
