"""The contents of each page as values, which are the pages' only input."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Self
from urllib.parse import urlsplit

from shared.browser.pages.security import https, source
from shared.config.kinds import is_loopback
from shared.oauth.client.account import is_account_client
from shared.oauth.client.record import Client
from shared.oauth.resource.record import ProtectedResource
from shared.paths import LOGOUT_DONE

LoginFault = Literal["credentials", "throttled", "expired", "second_factor", "passkey", "unverified"]
SignUpFault = Literal[
    "username", "taken", "password", "password_characters", "password_common", "password_name",
    "name", "email", "throttled",
]  # fmt: skip
SecondFactorFault = Literal["code", "recovery", "throttled"]
DeviceFault = Literal["unknown", "throttled"]


def visible(text: str, limit: int = 80) -> str:
    """*text* without control and formatting characters that disguise a name, cut at *limit*."""
    shown = "".join(c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class ClientView:
    """A client's description of itself. URIs are shown if they are https, and never fetched."""

    client_id: str
    client_name: str | None = None
    logo_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    document_host: str | None = None
    """The host of its document, if nobody registered it: all that is known for certain."""
    is_own: bool = False
    """Whether it is the account pages of this server."""
    is_on_device: bool = False
    """Whether responses go to the user's device alone, where any program may pretend to be the client."""

    @classmethod
    def of(cls, client: Client) -> Self:
        is_document = client.document_hash is not None
        return cls(
            client.client_id,
            client.client_name,
            client.logo_uri,
            client.client_uri,
            client.policy_uri,
            client.tos_uri,
            urlsplit(client.client_id).netloc if is_document else None,
            is_own=is_account_client(client),
            is_on_device=is_document and not any(map(https, client.redirect_uris)),
        )

    @property
    def name(self) -> str:
        """Its name, or its identifier if it has no visible name."""
        return visible(self.client_name or "") or visible(self.client_id)

    @property
    def monogram(self) -> str:
        """The first letter of its name, shown if it has no logo."""
        return next((c for c in self.name if c.isalnum()), "?").upper()

    @property
    def logo(self) -> str | None:
        """The logo: OpenID Connect Registration 1.0 §2, as for the following."""
        return https(self.logo_uri)

    @property
    def policy(self) -> str | None:
        return https(self.policy_uri)

    @property
    def terms(self) -> str | None:
        return https(self.tos_uri)

    @property
    def home(self) -> str | None:
        return https(self.client_uri)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the response goes, for people: a host, or None if it stays on this device."""

    host: str | None

    @classmethod
    def of(cls, form_action: tuple[str, ...]) -> "Destination | None":
        """The destination of the first of *form_action*, or None if it is empty."""
        if not form_action or not (allowed := source(form_action[0])):
            return None
        host = urlsplit(allowed).netloc
        return cls(None if not host or is_loopback(urlsplit(allowed).hostname or "") else host)


@dataclass(frozen=True, slots=True)
class LoginView:
    """`form_action`: URIs, origins or schemes where the flow may end; the first is shown as the destination.

    `retry_after` is in seconds; `hidden` contains the hidden fields. `passkey`: the options of a sign-in by
    passkey; None where there is none.
    """

    client: ClientView | None
    action: str
    username: str = ""
    fault: LoginFault | None = None
    retry_after: int | None = None
    cancel_href: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()
    sign_up_href: str | None = None
    passkey: Mapping[str, object] | None = None


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


@dataclass(frozen=True, slots=True)
class SignUpView:
    """The sign-up page. `min_password` is in characters; the other fields are as in LoginView."""

    client: ClientView
    action: str
    sign_in_href: str
    min_password: int
    username: str = ""
    name: str = ""
    email: str = ""
    fault: SignUpFault | None = None
    retry_after: int | None = None
    cancel_href: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()

    @property
    def wrong(self) -> str | None:
        """The name of the invalid field."""
        match self.fault:
            case "taken":
                return "username"
            case "password_characters" | "password_common" | "password_name":
                return "password"
            case "throttled":
                return None
            case fault:
                return fault


def _each_once(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys("offline_access" if s == "offline" else s for s in scopes))


@dataclass(frozen=True, slots=True)
class ApiView:
    """An API that access is asked to: its name and host, and a text for each scope, or the scope itself."""

    name: str
    host: str
    scopes: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, resource: ProtectedResource, scopes: tuple[str, ...], locale: str) -> Self:
        """The texts in the page's language, else in English, else the first."""
        return cls(
            name=visible(resource.name),
            host=urlsplit(resource.resource).netloc,
            scopes=tuple((scope, text_in(resource.scopes.get(scope, {}), locale)) for scope in scopes),
        )


def text_in(texts: Mapping[str, str], locale: str) -> str | None:
    """The text for a language tag, its language alone, English, or any; None: there is none."""
    wanted = (locale, locale.partition("-")[0], "en", next(iter(texts), ""))
    return next((texts[tag] for tag in wanted if texts.get(tag)), None)


@dataclass(frozen=True, slots=True)
class ConsentView:
    """`scopes` and `claims` by their names on the wire; `form_action` as in LoginView.

    `is_more`: the client has been allowed something before, which is not shown again.
    """

    client: ClientView
    action: str
    username: str
    scopes: tuple[str, ...]
    claims: tuple[str, ...] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()
    apis: tuple[ApiView, ...] = ()
    is_more: bool = False

    @property
    def requested(self) -> tuple[str, ...]:
        """The scopes, each once; `offline` is Cells' name for `offline_access`."""
        return _each_once(self.scopes)


@dataclass(frozen=True, slots=True)
class DeviceView:
    """Asks for the code that a device shows; `complete_uri` leads here with the code filled in."""

    action: str
    user_code: str = ""
    fault: DeviceFault | None = None
    complete_uri: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConfirmDeviceView:
    """Asks whether the device may continue; `scopes` as in ConsentView."""

    client: ClientView
    action: str
    username: str
    user_code: str
    scopes: tuple[str, ...]
    hidden: Mapping[str, str] = field(default_factory=dict)
    apis: tuple[ApiView, ...] = ()

    @property
    def requested(self) -> tuple[str, ...]:
        """The scopes, each once, as in ConsentView."""
        return _each_once(self.scopes)


@dataclass(frozen=True, slots=True)
class DeviceDoneView:
    """Says what was decided, and that the device continues by itself."""

    client: ClientView
    is_allowed: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account that is signed in with this browser."""

    sid: str
    username: str


@dataclass(frozen=True, slots=True)
class SelectAccountView:
    """Asks which of *accounts* to use; `form_action` as in LoginView."""

    client: ClientView
    action: str
    accounts: tuple[AccountView, ...]
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogoutView:
    """Asks whether to sign out; `client` is the one that sent the user here."""

    client: ClientView | None
    username: str | None
    action: str
    hidden: Mapping[str, str] = field(default_factory=dict)
    form_action: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedOutView:
    """`frames`: front-channel logout URIs that `frame` allows.

    Then the page leads to `return_href` or `done_href`.
    """

    client: ClientView | None
    return_href: str | None = None
    frames: tuple[str, ...] = ()
    done_href: str = LOGOUT_DONE.path


@dataclass(frozen=True, slots=True)
class LeavingView:
    """Asks before opening a program on the user's device; `fields`, if any, are posted there."""

    client: ClientView
    href: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        """The scheme, which identifies the program."""
        return urlsplit(self.href).scheme


@dataclass(frozen=True, slots=True)
class OutOfBandView:
    """A code that the user copies into an application without a browser, or the error in its place."""

    code: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorView:
    """`error`: an OAuth error code or one of the catalogue's; `retry_after` in seconds.

    `back_href`: where the user can continue, at `client` if there is one, else on this server.
    """

    error: str
    description: str | None = None
    request_id: str | None = None
    retry_after: int | None = None
    back_href: str | None = None
    client: ClientView | None = None

    @property
    def host(self) -> str:
        """The host of the link, if it leads elsewhere."""
        return urlsplit(self.back_href or "").netloc


@dataclass(frozen=True, slots=True)
class ApplicationView:
    """A client at which a login can be started; `href` is shown if it is https."""

    client: ClientView
    href: str

    @property
    def host(self) -> str:
        """The host of the link."""
        return urlsplit(self.href).netloc


@dataclass(frozen=True, slots=True)
class PresetView:
    """An application that Ostiary knows: the command that registers its client, and its documentation."""

    title: str
    command: str
    documentation: str

    @property
    def host(self) -> str:
        """The host of the documentation."""
        return urlsplit(self.documentation).netloc


@dataclass(frozen=True, slots=True)
class StartView:
    """The start page.

    `try_href`: an authorization request of the demo client; `credentials_file` contains the password.
    `applications` are clients that a login can be started at; `presets` are applications to connect.
    """

    issuer: str
    username: str | None = None
    client_id: str | None = None
    credentials_file: str | None = None
    try_href: str | None = None
    applications: tuple[ApplicationView, ...] = ()
    presets: tuple[PresetView, ...] = ()
