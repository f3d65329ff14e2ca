"""The contents of the pages of second factors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.browser.pages.views.client import ClientView

SecondFactorFault = Literal["code", "recovery", "throttled"]


@dataclass(frozen=True, slots=True)
class SecondFactorView:
    """Asks for the code of an authenticator app, or for a recovery code; other fields as in LoginView."""

    client: ClientView | None
    action: str
    username: str
    fault: SecondFactorFault | None = None
    retry_after: int | None = None
    cancel_href: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddSecondFactorView:
    """Shows *uri* (`otpauth:`) as a QR code, and its secret as text; asks for the first code."""

    client: ClientView
    action: str
    username: str
    uri: str
    secret: str
    fault: SecondFactorFault | None = None
    retry_after: int | None = None
    cancel_href: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecoveryCodesView:
    """Shows recovery codes once; `href` continues."""

    client: ClientView
    codes: tuple[str, ...]
    href: str
