"""The contents of the pages that ask for consent, for clients with a browser and for devices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import urlsplit

from shared.browser.pages.views.client import ClientView, visible
from shared.browser.pages.views.form import FormView
from shared.oauth.resource.record import ProtectedResource

DeviceFault = Literal["unknown", "throttled"]

DeviceOutcome = Literal["allowed", "denied", "refused"]
"""The user's decision about a device, or that they may not decide: the client allows none of their groups."""


def _each_once(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys("offline_access" if s == "offline" else s for s in scopes))


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text of an operator, and the tag of its language (BCP 47), which may not be the page's."""

    text: str
    locale: str


@dataclass(frozen=True, slots=True)
class ApiView:
    """An API that access is asked to: its name and host, and a text for each scope, or the scope itself."""

    name: str
    host: str
    scopes: tuple[tuple[str, LocalizedText | None], ...]

    @classmethod
    def of(cls, resource: ProtectedResource, scopes: tuple[str, ...], locale: str) -> Self:
        """The texts in the page's language, else in English, else the first."""
        return cls(
            name=visible(resource.name),
            host=urlsplit(resource.resource).netloc,
            scopes=tuple((scope, text_in(resource.scopes.get(scope, {}), locale)) for scope in scopes),
        )


def text_in(texts: Mapping[str, str], locale: str) -> LocalizedText | None:
    """The text for a language tag, its language alone, English, or any; None: there is none."""
    wanted = (locale, locale.partition("-")[0], "en", next(iter(texts), ""))
    return next((LocalizedText(texts[tag], tag) for tag in wanted if texts.get(tag)), None)


@dataclass(frozen=True, slots=True)
class ConsentView:
    """`scopes` and `claims` by their names on the wire.

    `is_more`: the client has been allowed something before, which is not shown again.
    """

    form: FormView
    username: str
    scopes: tuple[str, ...]
    claims: tuple[str, ...] = ()
    apis: tuple[ApiView, ...] = ()
    is_more: bool = False

    @property
    def requested(self) -> tuple[str, ...]:
        """The scopes, each once; `offline` is Cells' name for `offline_access`."""
        return _each_once(self.scopes)


@dataclass(frozen=True, slots=True)
class DeviceView:
    """Asks for the code that a device shows; `complete_uri` leads here with the code filled in."""

    form: FormView
    user_code: str = ""
    fault: DeviceFault | None = None
    complete_uri: str | None = None


@dataclass(frozen=True, slots=True)
class ConfirmDeviceView:
    """Asks whether the device may continue; `scopes` as in ConsentView."""

    form: FormView
    username: str
    user_code: str
    scopes: tuple[str, ...]
    apis: tuple[ApiView, ...] = ()

    @property
    def requested(self) -> tuple[str, ...]:
        """The scopes, each once, as in ConsentView."""
        return _each_once(self.scopes)


@dataclass(frozen=True, slots=True)
class DeviceDoneView:
    """Says what was decided, and that the device continues by itself."""

    client: ClientView
    outcome: DeviceOutcome
