"""Named profiles: the defaults that each one sets, as the members declare them. Pure.

Code reads the member, never the profile.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import get_args

from shared.model import Json
from shared.oauth.client.metadata.kinds import PROFILE
from shared.oauth.client.metadata.members import MEMBERS

PROFILES: Mapping[str, Json] = MappingProxyType(
    {
        profile: {
            name: member.profiles[profile] for name, member in MEMBERS.items() if profile in member.profiles
        }
        for profile in get_args(PROFILE.json)
    }
)
