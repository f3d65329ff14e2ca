"""Signs in to the applications, one at a time: `python -m tests.applications [NAME…]`.

The verdicts go to README.md here; the preset of an application that passes tells version and date, and so
does the table of presets in the README of the project.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from shared.live import clock
from tests.applications.catalogue import APPLICATIONS, HERE, Application, install
from tests.applications.install import say

ROOT = HERE.parents[1]
VERDICTS = HERE / "README.md"
HANG_GUARD = 900  # seconds a test
HEADING = """# Applications that sign in

`make applications` writes this table. Each application was installed from its registry, started with what
`ostiary client add --for NAME` printed for it, and driven as a person does: signing in, the claims that it
learns, refreshing and logging out as far as it does, and one thing that must be refused.

| application | version | verdict |
|---|---|---|
"""


def verdict_on(application: Application) -> str:
    """What came of it, for the table."""
    if fault := install(application):
        return f"not run: `{fault.command}`: {fault.error}"
    options = ("-q", "--tb=line", "-rfEs", f"--timeout={HANG_GUARD}")
    command = (sys.executable, "-m", "pytest", *options, str(application.module))
    wide = {**os.environ, "COLUMNS": "240"}  # pytest cuts its summary to the width
    done = subprocess.run(command, cwd=ROOT, env=wide, capture_output=True, text=True, check=False)
    return verdict_of(done.returncode, done.stdout, clock.now().date().isoformat())


def verdict_of(status: int, output: str, today: str) -> str:
    """What pytest says of a module: nothing was proved if a test was skipped. Pure."""
    if lacking := re.search(r"^SKIPPED \[\d+\] \S+ (.+)$", output, re.MULTILINE):
        return f"not run: {lacking[1]}"
    if status == 0:
        return f"signs in, {today}"
    failed = re.findall(r"^(?:FAILED|ERROR) \S+::(.*)$", output, re.MULTILINE)
    return f"fails, {today}: {'; '.join(failed) or 'no test ran'}"


def verdicts() -> dict[str, str]:
    """The rows of the table as it is, by application."""
    text = VERDICTS.read_text("utf-8") if VERDICTS.exists() else ""
    return {name: row for row, name in re.findall(r"^(\| `([\w-]+)` \|.*)$", text, re.MULTILINE)}


def write(rows: Mapping[str, str]) -> None:
    """The table, in the order of the catalogue."""
    VERDICTS.write_text(
        HEADING + "".join(f"{rows[name]}\n" for name in APPLICATIONS if name in rows), "utf-8"
    )


def record(application: Application, tested: str) -> None:
    """Lets the preset, and its row in the README, tell what was tested."""
    preset = ROOT / "deploy" / "applications" / f"{application.name}.toml"
    _replace(preset, r'(?m)^tested = ".*"$', f'tested = "{tested}"')
    _replace(ROOT / "README.md", rf"(?m)^(\| `{application.name}` \|.*\|) [^|]+ \|$", rf"\g<1> {tested} |")


def _replace(path: Path, pattern: str, replacement: str) -> None:
    text, found = re.subn(pattern, replacement, path.read_text("utf-8"), count=1)
    assert found, f"{path} has nothing like {pattern}"
    path.write_text(text, "utf-8")


def main() -> int:
    """Runs those that are named, or all; 1 when one fails or was not run."""
    parser = argparse.ArgumentParser(prog="python -m tests.applications", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="an application; all without one")
    chosen = parser.parse_args().names or list(APPLICATIONS)
    if unknown := set(chosen) - APPLICATIONS.keys():
        parser.error(f"no such application: {', '.join(sorted(unknown))}")
    rows, passed = verdicts(), 0
    for name in chosen:
        application = APPLICATIONS[name]
        say(f"{name} {application.version} …")
        verdict = verdict_on(application)
        say(f"    {verdict}")
        rows[name] = f"| `{name}` | {application.version} | {verdict} |"
        write(rows)
        if verdict.startswith("signs in, "):
            passed += 1
            record(application, f"{application.version}, {verdict.removeprefix('signs in, ')}")
    say(f"{passed} passed, {len(chosen) - passed} failed")
    return 0 if passed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
