"""A form of the device page that a browser has sent."""

from dataclasses import dataclass

from aiohttp import web

from shared.oauth.parameters import Parameters


@dataclass(frozen=True, slots=True)
class SentForm:
    """The request, its fields, and the well-formed user code that it is about."""

    request: web.Request
    fields: Parameters
    user_code: str

    @property
    def purpose(self) -> str:
        """The purpose of the form tokens, challenges and sessions of the user code."""
        return f"device {self.user_code}"
