"""The texts of the pages, from one TOML file for each language."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from babel import Locale
from markupsafe import Markup, escape

FOLDER = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All texts of one language, by dotted key; `{name}` is a placeholder.

    `rules`: those of the language (CLDR).
    """

    locale: str
    texts: Mapping[str, str]
    rules: Locale

    @classmethod
    @cache
    def load(cls, locale: str) -> "Catalogue":
        """Read `locale`.toml, whose tables are the first parts of the keys; once in a process."""
        tables = tomllib.loads((FOLDER / f"{locale}.toml").read_text("utf-8"))
        return cls(locale, MappingProxyType(dict(_flat(tables))), Locale.parse(locale, sep="-"))

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """The direction of writing."""
        return "rtl" if self.rules.text_direction == "rtl" else "ltr"

    @property
    def comma(self) -> str:
        """What stands between two things of a list, with its spaces."""
        middle: str = self.rules.list_patterns["standard"]["middle"]
        return middle.format("", "")

    def __call__(self, key: str, **values: object) -> Markup:
        """The text of *key* as HTML, with *values* escaped unless they are Markup. Raises KeyError."""
        return escape(self.texts[key]).format(**values)

    def plain(self, key: str, **values: object) -> str:
        """The text of *key* as plain text. Raises KeyError."""
        return self.texts[key].format(**values)

    def counted(self, key: str, number: int) -> Markup:
        """The text of *key* for so many things: its form `none`, if there is one, or its plural form."""
        form = "none" if number == 0 and self.knows(f"{key}.none") else self.rules.plural_form(number)
        return self(f"{key}.{form}", number=number)

    def knows(self, key: str) -> bool:
        """Whether there is a text for *key*, which may be untrusted."""
        return key in self.texts


def _flat(tables: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)
