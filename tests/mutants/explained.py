"""The survivors that no test can or should kill, with reasons, in `explained.txt`."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutants import MutantChange

EXPLAINED = Path(__file__).with_name("explained.txt")


_BLOCK = re.compile(r"(\S+) ?(\S*)\n((?:[-+].*\n)+)([^-+\n].*)")


def read(text: str) -> dict[MutantChange, str]:
    """The explanations, as blocks: where, the lines that differ, the reason in one line. `#` is a comment.

    Raises ValueError for a malformed block.
    """
    explained: dict[MutantChange, str] = {}
    blocks = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).split("\n\n")
    for block in filter(None, map(str.strip, blocks)):
        if not (parts := _BLOCK.fullmatch(block)):
            raise ValueError(f"not an explanation:\n{block}")
        module, place, lines, reason = parts.groups()
        explained[MutantChange(module, place, tuple(lines.splitlines()))] = reason
    return explained


@dataclass(frozen=True, slots=True)
class MutantReport:
    """The result of a run: survivors with and without a reason, and reasons without a survivor."""

    explained: Mapping[MutantChange, str]
    unexplained: Collection[MutantChange]
    outdated: Collection[MutantChange]

    @classmethod
    def of(cls, survivors: Collection[MutantChange], explained: Mapping[MutantChange, str]) -> "MutantReport":
        return cls(
            {change: reason for change, reason in explained.items() if change in survivors},
            [change for change in survivors if change not in explained],
            [change for change in explained if change not in survivors],
        )

    @property
    def is_good(self) -> bool:
        return not self.unexplained and not self.outdated

    def __str__(self) -> str:
        """The lists in the format of `explained.txt`."""
        kinds = {
            "Survived, and explained": [f"{change}\n{reason}" for change, reason in self.explained.items()],
            "Survived: write a test, or explain it": [*map(str, self.unexplained)],
            "Explained, and survives no more": [*map(str, self.outdated)],
        }
        return "\n\n".join(
            "\n\n".join((f"{kind} ({len(blocks)}):", *blocks)) for kind, blocks in kinds.items() if blocks
        )
