"""Named profiles: what each one sets, as the members declare it, and what it refuses. Pure.

Code reads the member, never the profile.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import get_args

from shared.model import Json
from shared.oauth.client.metadata.kinds import PROFILE
from shared.oauth.client.metadata.members import MEMBERS
from shared.oauth.client.record import Client

PROFILES: Mapping[str, Json] = MappingProxyType(
    {
        profile: {
            name: member.profiles[profile] for name, member in MEMBERS.items() if profile in member.profiles
        }
        for profile in get_args(PROFILE.json)
    }
)

_REFUSED_BY_OAUTH_2_1: Json = {
    "allow_insecure_redirects": (True,),
    "grant_types": ("implicit",),
    "require_pkce": (False,),
    "response_types": ("token", "id_token", "id_token token", "code token", "code id_token"),
}
REFUSED: Mapping[str, Json] = MappingProxyType(
    {
        "default": {},
        "cells-legacy": {},
        "oauth-2.1": _REFUSED_BY_OAUTH_2_1,  # draft-ietf-oauth-v2-1 §4.1.1, §10
        "mcp": {**_REFUSED_BY_OAUTH_2_1, "refresh_token_rotation": (False,)},
        "fapi2": {"allow_insecure_redirects": (True,)},
    }
)
"""The values of members, or of their entries, that a client of the profile must not have."""


@dataclass(frozen=True, slots=True)
class ProfileDescription:
    """What a profile sets where a client says nothing, and what it refuses, by the members' names."""

    name: str
    sets: Json
    refuses: Json


def describe(name: str) -> ProfileDescription:
    """A profile. Raises KeyError."""
    return ProfileDescription(name, PROFILES[name], REFUSED[name])


def refused_members(client: Client) -> Iterator[str]:
    """The members whose values the client's profile refuses."""
    for member, refused in REFUSED[client.profile].items():
        value = getattr(client, member)
        values = value if isinstance(value, tuple) else (value,)
        if not set(values).isdisjoint(refused):
            yield member
