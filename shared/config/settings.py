"""The settings: one frozen object, whose fields are environment variables."""

from datetime import timedelta
from email.headerregistry import Address as MailAddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.config.kinds.addresses import Address, CAFile, HostPorts, Networks, TracesEndpoint
from shared.config.kinds.durations import Delay, Duration, DurationOfDays
from shared.config.kinds.lists import Switch
from shared.config.kinds.look import AccentColour, DisplayedName, FooterLinks, LogoFile
from shared.config.kinds.origins import Documents, Issuer, Origins, PasskeyOrigins, RpId
from shared.config.kinds.protocol import (
    SIGNING_ALGORITHMS,
    UI_LOCALES,
    ResponseTypes,
    SigningAlgorithms,
    UILocales,
)
from shared.config.kinds.servers import PostgresqlUrl, RedisUrl, SecretKeys, Sender, SmtpUrl
from shared.config.mail_address import MailFolder, MailServer, parse_mail_address, parse_sender
from shared.config.related_origins import is_within
from shared.paths import PREFIX
from shared.process.operator_error import OperatorError

NAME_PREFIX = "OSTIARY_"


class SettingsError(OperatorError):
    """The settings are invalid; `faults` has one sentence for each error."""

    template = "The settings are invalid:\n{}"

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def faults_of(error: ValidationError) -> tuple[str, ...]:
    """One sentence for each fault, with the name of its environment variable."""
    sentences = []
    for fault in error.errors(include_url=False, include_context=False, include_input=False):
        message = fault["msg"].removeprefix("Value error, ")
        if not fault["loc"]:
            sentences.append(message)
            continue
        name = NAME_PREFIX + str(fault["loc"][0]).upper()
        if fault["type"] == "extra_forbidden":
            message = "there is no such setting"
        sentences.append(f"{name}: {message}")
    return tuple(sentences)


class Settings(BaseModel):
    """All settings. Each field is an environment variable: its name in upper case after `OSTIARY_`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: Issuer = f"http://localhost:8080{PREFIX}"
    external_urls: Origins = ()
    data_dir: Path = Path(".ostiary")
    database_url: PostgresqlUrl | None = None
    database_direct_url: PostgresqlUrl | None = None
    database_pool_size: Annotated[int, Field(ge=2)] = 16
    redis_url: RedisUrl | None = None
    secret_key: SecretKeys = ()

    response_types: ResponseTypes = ("code",)
    registration: Literal["open", "token", "closed"] = "token"
    sign_up: Literal["off", "open"] = "off"
    second_factor: Literal["off", "optional", "required"] = "optional"
    passkey_rp_id: RpId | None = None
    passkey_origins: PasskeyOrigins = ()
    unused_client_lifetime: Duration = timedelta(days=30)
    client_quota: Annotated[int, Field(ge=1)] = 10_000
    client_id_metadata: Literal["off", "list", "ask", "open"] = "off"
    client_id_metadata_list: Documents = ()
    software_statement_issuers: Path | None = None
    session_management: Switch = True
    require_pushed_authorization_requests: Switch = False
    unsigned_request_objects: Switch = False

    access_token_lifetime: Duration = timedelta(minutes=10)
    id_token_lifetime: Duration = timedelta(hours=1)
    refresh_token_lifetime: Duration = timedelta(days=60)
    refresh_token_reuse_window: Duration = timedelta(seconds=60)
    grant_lifetime: Duration = timedelta(days=365)
    personal_access_token_lifetime: DurationOfDays = timedelta(days=365)
    authorization_code_lifetime: Duration = timedelta(seconds=60)
    interaction_lifetime: Duration = timedelta(minutes=30)
    session_lifetime: Duration = timedelta(hours=12)
    session_idle_lifetime: Duration = timedelta(hours=2)

    root_aliases: Switch = True
    signing_algorithms: SigningAlgorithms = SIGNING_ALGORITHMS
    key_rotation: Duration = timedelta(days=90)
    jwks_max_age: Duration = timedelta(minutes=5)
    ui_locales: UILocales = UI_LOCALES
    name: DisplayedName | None = None
    logo_file: LogoFile | None = None
    accent_colour: AccentColour | None = None
    footer_links: FooterLinks = ()
    trusted_proxies: Networks = ("unix", "127.0.0.0/8", "::1/128")
    fetch_allow: HostPorts = ()
    fetch_ca_file: CAFile | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    metrics_listen: Address | None = None
    traces_endpoint: TracesEndpoint | None = None
    traces_sample: Annotated[float, Field(ge=0, le=1)] = 0.01
    drain_delay: Delay = timedelta(seconds=5)
    rate_limits: Switch = True
    smtp_url: SmtpUrl | None = None
    mail_from: Sender | None = None
    audit_retention: Duration = timedelta(days=400)
    expired_retention: Duration = timedelta(days=7)
    worker: Literal["token", "alone"] = "token"

    @property
    def origin(self) -> str:
        """The issuer's origin, which is also the first external URL by default."""
        return self.issuer.removesuffix(PREFIX)

    @property
    def secret_keys(self) -> tuple[str, ...]:
        """The keys in `secret_key` as text: the first seals, every one opens."""
        return tuple(key.get_secret_value() for key in self.secret_key)

    @property
    def rp_id(self) -> str:
        """The domain that passkeys belong to: the host of the issuer, unless another one is set."""
        return self.passkey_rp_id or urlsplit(self.issuer).hostname or ""

    @property
    def related_origins(self) -> tuple[str, ...]:
        """The origins outside that domain where its passkeys are used: WebAuthn Level 3 §5.11."""
        every = (self.origin, *self.passkey_origins)
        return tuple(dict.fromkeys(each for each in every if not is_within(each, self.rp_id)))

    @property
    def may_sign_up(self) -> bool:
        """Whether self-registration is enabled."""
        return self.sign_up == "open"

    @property
    def has_second_factors(self) -> bool:
        """Whether users may have second factors."""
        return self.second_factor != "off"

    def demands_second_factor(self, *, of_group: bool) -> bool:
        """Whether a user needs a second factor; *of_group*: a group of theirs requires one."""
        return self.second_factor == "required" or (of_group and self.has_second_factors)

    @property
    def mail_server(self) -> MailServer | MailFolder | None:
        """Where mails go. None: no mails are sent."""
        return None if self.smtp_url is None else parse_mail_address(self.smtp_url.get_secret_value())

    @property
    def sender(self) -> MailAddress:
        """Whom mails are from."""
        host = urlsplit(self.issuer).hostname or ""
        return (
            parse_sender(self.mail_from) if self.mail_from else MailAddress(username="no-reply", domain=host)
        )

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this deployment over TLS."""
        return self.issuer.startswith("https:")
