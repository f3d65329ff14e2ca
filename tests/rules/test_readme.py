"""The links in Markdown files work, and README.md is consistent with the tables."""

import re
from pathlib import Path

import pytest

from shared.paths import PATHS, Group

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    *ROOT.glob("*.md"),
    *(ROOT / "deploy").rglob("*.md"),
    *(ROOT / "tests").glob("*.md"),
    *(ROOT / "tests" / "security").glob("*.md"),
)
_LINK = re.compile(r'\]\(([^)\s]+)\)|<img\s+src="([^"]+)"')
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_RFC = re.compile(r"RFC (\d+)")
_SHOWN = (Group.PUBLIC, Group.ROOT_ALIAS, Group.ADMINISTRATION)
MAX_PICTURE = 60 * 1024  # bytes


def _anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings of *document*."""
    headings = _HEADING.findall(document.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _section(title: str) -> str:
    text = (ROOT / "README.md").read_text("utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    """Files and headings that a document links to exist."""
    for link, picture in _LINK.findall(document.read_text("utf-8")):
        target, _, anchor = (link or picture).partition("#")
        if re.match(r"\w+:", target):
            continue
        file = document.parent / target if target else document
        assert file.exists(), target
        assert not anchor or anchor in _anchors(file), f"{target}#{anchor}"


def test_every_specification_that_the_summary_names_is_in_the_table() -> None:
    """Every RFC in README.md has a row in tests/conformance.md."""
    named = set(_RFC.findall(_section("What it supports")))
    table = set(_RFC.findall((ROOT / "tests" / "conformance.md").read_text("utf-8")))
    assert named
    assert named - table == set()


def test_pictures_are_small() -> None:
    """Every image in README.md is small."""
    pictures = sorted((ROOT / "deploy" / "images").iterdir())
    assert len(pictures) == 2
    for picture in pictures:
        assert picture.stat().st_size < MAX_PICTURE, picture.name


def test_packages_that_a_decision_points_to_exist() -> None:
    """Each surprising decision names the packages that it concerns."""
    decisions = _section("Five decisions that surprise")
    packages = re.findall(r"`((?:services|shared)/[\w/]+)`", decisions)
    assert len(packages) >= 5
    for package in packages:
        assert (ROOT / package / "__init__.py").is_file(), package


def test_every_path_is_documented_and_nothing_else() -> None:
    """The table of paths in deploy/README.md has each path once, with its service."""
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    table = text.partition("\n### Paths\n")[2].partition("\n### ")[0]
    rows = re.findall(r"^\| (`/[^|]+) \| ([^|]+) \|", table, re.MULTILINE)
    documented = sorted((path.strip("`"), service) for paths, service in rows for path in paths.split(", "))
    assert documented == sorted((path.path, path.service.value) for path in PATHS if path.group in _SHOWN)


def test_the_number_of_packages_is_that_of_the_lock() -> None:
    """What README.md shows of the first `make run` counts what requirements.lock installs."""
    (shown,) = re.findall(
        r"^Installing (\d+) packages", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert int(shown) == len(re.findall("==", (ROOT / "requirements.lock").read_text("utf-8")))
