"""Parameters as they arrive: `application/x-www-form-urlencoded`, in a query or in a body."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from shared.oauth.errors import InvalidRequest

MAX_PARAMETERS = 100
MAX_NAME = 64
MAX_VALUE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Parameters:
    """Names and values; the value of a repeated parameter is empty.

    A parameter without a value counts as omitted (RFC 6749 §3.1).
    """

    values: Mapping[str, str]
    repeated: frozenset[str] = field(default=frozenset())

    def __getitem__(self, name: str) -> str | None:
        """The value, or None where it is missing, empty or repeated."""
        return self.values.get(name) or None

    def __contains__(self, name: str) -> bool:
        return bool(self.values.get(name)) or name in self.repeated

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def require(self, name: str) -> str:
        """The value. Raises InvalidRequest where it is missing, empty or repeated."""
        if value := self.values.get(name):
            return value
        raise InvalidRequest(f"{name} is {'repeated' if name in self.repeated else 'missing'}")

    def refuse_repeated(self, names: Iterable[str]) -> None:
        """Refuse any of *names* that comes more than once (RFC 6749 §3.1, §3.2). Raises InvalidRequest.

        Unknown parameters are ignored, however often they come; RFC 8707 lets `resource` be repeated.
        """
        for name in sorted(self.repeated.intersection(names)):
            raise InvalidRequest(f"{name} is repeated")


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidRequest("a parameter is not UTF-8") from None
    if "\0" in text:
        raise InvalidRequest("a parameter holds a NUL character")
    return text


def parse(text: bytes) -> Parameters:
    """Parse a query or a body. Raises InvalidRequest: malformed UTF-8, NUL, too many or too long."""
    values: dict[str, str] = {}
    repeated = set()
    pairs = _text(text).replace("+", " ").split("&", MAX_PARAMETERS + 1)
    if len(pairs) > MAX_PARAMETERS:
        raise InvalidRequest("there are too many parameters")
    for pair in pairs:
        if not pair:
            continue
        name, _, value = pair.partition("=")
        if "%" in pair:
            name, value = _text(unquote_to_bytes(name)), _text(unquote_to_bytes(value))
        if len(name) > MAX_NAME or len(value) > MAX_VALUE:
            raise InvalidRequest("a parameter is too long")
        if name in values:
            repeated.add(name)
            value = ""
        values[name] = value
    return Parameters(values, frozenset(repeated))
