"""Parameters of a query or a body in `application/x-www-form-urlencoded`."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from shared.oauth.errors import InvalidRequest

MAX_PARAMETERS = 100
MAX_NAME = 64
MAX_VALUE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameter names, each with all its values in request order.

    A parameter without a value counts as omitted, and most parameters must not be repeated (RFC 6749 §3.1,
    §3.2). Readers say how often a parameter may occur: `one`, `require` and `unique` for once, `all` for any
    number (RFC 8707 §2).
    """

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Parameters":
        """Parameters that each occur once."""
        return cls({name: (value,) for name, value in values.items()})

    def one(self, name: str) -> str | None:
        """The value, or None if it is missing or empty. Raises InvalidRequest if it is repeated."""
        values = self.values.get(name)
        if values is None:
            return None
        if len(values) > 1:
            raise InvalidRequest(f"{name} is repeated")
        return values[0] or None

    def require(self, name: str) -> str:
        """The value. Raises InvalidRequest if it is missing, empty or repeated."""
        if value := self.one(name):
            return value
        raise InvalidRequest(f"{name} is missing")

    def unique(self, name: str) -> str | None:
        """The value, or None if it is missing, empty or repeated. For places that cannot return an error."""
        values = self.values.get(name, ())
        return (values[0] or None) if len(values) == 1 else None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value that is not empty."""
        values = self.values.get(name)
        return tuple(filter(None, values)) if values else ()

    def __contains__(self, name: str) -> bool:
        values = self.values.get(name)
        return values is not None and values != ("",)

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def refuse_repeated(self, names: Container[str]) -> None:
        """Raises InvalidRequest if one of *names* is repeated. Unknown parameters may be repeated."""
        for name, values in self.values.items():
            if len(values) > 1 and name in names:
                raise InvalidRequest(f"{name} is repeated")

    def to_json(self) -> dict[str, str | list[str]]:
        """Each name with its value, or with all its values if there are several."""
        return {name: values[0] if len(values) == 1 else list(values) for name, values in self.values.items()}

    @classmethod
    def from_json(cls, members: Mapping[str, str | Sequence[str]]) -> "Parameters":
        """The parameters of which `to_json` gave the members."""
        return cls(
            {name: (value,) if isinstance(value, str) else tuple(value) for name, value in members.items()}
        )


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("a parameter is not UTF-8") from None
    if "\0" in text:
        raise InvalidRequest("a parameter holds a NUL character")
    return text


def parse(text: bytes) -> Parameters:
    """Parse a query or a body.

    Raises InvalidRequest: malformed UTF-8, NUL, too many or too long parameters.
    """
    values: dict[str, tuple[str, ...]] = {}
    pairs = _text(text).replace("+", " ").split("&", MAX_PARAMETERS + 1)
    if len(pairs) > MAX_PARAMETERS:
        raise InvalidRequest("there are too many parameters")
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if "%" in name:
            name = _text(unquote_to_bytes(name))
        if "%" in value:
            value = _text(unquote_to_bytes(value))
        if len(name) > MAX_NAME or len(value) > MAX_VALUE:
            raise InvalidRequest("a parameter is too long")
        values[name] = (*values[name], value) if name in values else (value,)
    return Parameters(values)
