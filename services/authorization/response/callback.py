"""The response to a client: the only code that sends anything to a redirect URI."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from aiohttp import web

from services.authorization.request.parameters.response_type import ResponseMode, safe_response_mode
from shared.browser.pages import ClientView, LeavingView, Pages
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app
from shared.oauth.errors import InvalidRequest, OAuthError
from shared.oauth.parameters import Parameters
from shared.oauth.redirect_uri import is_redirect_uri_of
from shared.oauth.refusal import Detail, Reason
from shared.web.answers import see_other

MAX_STATE = 7 * 1024
"""The maximum length of `state`. With the other parameters it fits the 8 KiB that servers accept."""

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")  # RFC 3986 §2.3

Sign = Callable[[Mapping[str, str]], str]
"""Signs the parameters of a response as a JWT: JARM §2.1. Raises Unavailable."""


@lru_cache(maxsize=16)  # the issuer is in every response
def _percent_encoded(value: str) -> str:
    return quote(value, safe="")


def _quoted(value: str) -> str:
    return value if _UNRESERVED.fullmatch(value) else _percent_encoded(value)


def _added(uri: str, separator: str, parameters: Mapping[str, str]) -> str:
    return uri + separator + "&".join(f"{name}={_quoted(value)}" for name, value in parameters.items())


@dataclass(frozen=True, slots=True)
class Callback:
    """Where and how a client gets its response. Its existence proves that responses may go there."""

    redirect_uri: str
    mode: ResponseMode
    state: str | None
    iss: str
    sign: Sign
    unseen: ClientView | None = None  # the client for which the user must see a page first

    @classmethod
    def of(cls, parameters: Parameters, client: Client, issuer: str, sign: Sign) -> "Callback":
        """The client's callback for this request. Raises InvalidRequest, which only a page may show."""
        redirect_uri, state = parameters.require("redirect_uri"), parameters.unique("state")
        if not is_redirect_uri_of(client, redirect_uri):
            detail = Detail.of_uri(Reason.REDIRECT_URI, redirect_uri, client.redirect_uris)
            raise InvalidRequest("redirect_uri is not registered for this client", detail=detail)
        if state is not None and len(_quoted(state)) > MAX_STATE:  # too long even for an error
            raise InvalidRequest("state is too long")
        is_guarded = opens_a_strangers_app(redirect_uri, is_self_described=client.is_self_described)
        unseen = ClientView.of(client) if is_guarded else None
        return cls(redirect_uri, safe_response_mode(parameters), state, issuer, sign, unseen)

    def _complete(self, parameters: Mapping[str, str]) -> dict[str, str]:
        state = {} if self.state is None else {"state": self.state}
        complete = {**parameters, **state, "iss": self.iss}  # RFC 9207 §2
        return {"response": self.sign(complete)} if self.mode.is_jwt else complete

    def _uri(self, parameters: Mapping[str, str]) -> str | None:
        """The URI that carries the response; None if a form carries it."""
        match self.mode.transport:
            case "query":
                separator = "&" if "?" in self.redirect_uri else "?"
                return _added(self.redirect_uri, separator, self._complete(parameters))
            case "fragment":
                return _added(self.redirect_uri, "#", self._complete(parameters))
            case "form_post":
                return None

    def link(self, parameters: Mapping[str, str]) -> str | None:
        """The response as a link on a page; None if it needs a form or a fresh signature."""
        return None if self.mode.is_jwt else self._uri(parameters)

    def send(self, parameters: Mapping[str, str], pages: Pages, locale: str) -> web.Response:
        """Send the response by its mode, or by a page with a button if the user has not seen a page yet."""
        uri = self._uri(parameters)
        if self.unseen:
            fields = {} if uri else self._complete(parameters)
            return pages.leaving(LeavingView(self.unseen, uri or self.redirect_uri, fields), locale)
        if uri:
            return see_other(uri)
        return pages.form_post(self.redirect_uri, self._complete(parameters), locale)

    def refuse(self, error: OAuthError, pages: Pages, locale: str) -> web.Response:
        """Send an error response: RFC 6749 §4.1.2.1."""
        return self.send(error.parameters(), pages, locale)
