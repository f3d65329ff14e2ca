"""Lists and switches."""

from typing import Annotated

from pydantic import BeforeValidator


def listed(value: object) -> object:
    """The parts of a text that commas separate. What is no text stays as it is."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Switch = Annotated[bool, BeforeValidator(lambda value: {"on": True, "off": False}.get(str(value), value))]
