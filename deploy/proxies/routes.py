"""The routes that every proxy has, from the path map. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence

from shared.paths import PATHS, Group, Path, Service

_PARAMETER = re.compile(r"\{[a-z_]+\}")

AMBIGUOUS = r"^[^?]*((/|%2f)(\.|%2e){1,2}(/|\?|$)|%2f|%5c|%00|\\|//)"
"""A regular expression, in any case, of targets whose path a proxy may read otherwise than a service."""


def public(paths: Iterable[Path] = PATHS, *, has_root_aliases: bool = True) -> Sequence[Path]:
    """The paths of the public listener."""
    groups = {Group.PUBLIC, Group.ROOT_ALIAS} if has_root_aliases else {Group.PUBLIC}
    return [path for path in paths if path.group in groups]


def administration(paths: Iterable[Path] = PATHS) -> Sequence[Path]:
    """The paths of the internal listener."""
    return [path for path in paths if path.group is Group.ADMINISTRATION]


def by_service(paths: Iterable[Path]) -> Mapping[Service, Sequence[Path]]:
    """*paths*, for each service that has some."""
    own: dict[Service, list[Path]] = {}
    for path in paths:
        own.setdefault(path.service, []).append(path)
    return own


def has_parameter(path: Path) -> bool:
    """Whether a segment of the path is a parameter."""
    return bool(_PARAMETER.search(path.path))


def expression(path: Path, segment: str = "[^/]+") -> str:
    """The regular expression of a whole path; each parameter is one *segment*."""
    return segment.join(map(re.escape, _PARAMETER.split(path.path))).replace(r"\-", "-")


def prefix(path: Path) -> str:
    """The path before its first parameter."""
    return path.path.partition("/{")[0]
