"""The person who signs in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page


@dataclass(frozen=True, slots=True)
class Person:
    """A user, and what the applications are to learn of her."""

    username: str
    password: str
    email: str
    given_name: str
    family_name: str
    groups: tuple[str, ...]

    @property
    def name(self) -> str:
        """Her whole name."""
        return f"{self.given_name} {self.family_name}"

    @property
    def claims(self) -> dict[str, Any]:
        """What an operator's claims file has of her."""
        names = {"name": self.name, "given_name": self.given_name, "family_name": self.family_name}
        return {**names, "groups": list(self.groups)}


PERSON = Person(
    username="grace.h",
    password="a long enough password",
    email="grace@example.org",
    given_name="Grace",
    family_name="Hopper",
    groups=("engineers", "staff"),
)


def is_person(claims: Mapping[str, Any]) -> bool:
    """Whether they are her name, e-mail address and groups."""
    found = (claims["name"], claims["email"], claims["groups"])
    return found == (PERSON.name, PERSON.email, list(PERSON.groups))


async def shown(page: Page) -> dict[str, Any]:
    """What a page of ours shows of who is signed in."""
    known: dict[str, Any] = json.loads(await page.inner_text("#who"))
    return known
