"""Installs applications that are not there: `python -m tests.applications.install [--quick] [NAME…]`."""

import argparse
import sys

from tests.applications.catalogue import APPLICATIONS, install


def say(line: str) -> None:
    """Prints one line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Names what cannot be installed; its test skips, or fails where OSTIARY_REQUIRE names applications."""
    parser = argparse.ArgumentParser(prog="python -m tests.applications.install", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="an application; all without one")
    parser.add_argument("--quick", action="store_true", help="only those that run with every other test")
    given = parser.parse_args()
    if unknown := set(given.names) - APPLICATIONS.keys():
        parser.error(f"no such application: {', '.join(sorted(unknown))}")
    for name, application in APPLICATIONS.items():
        if (given.names and name not in given.names) or (given.quick and not application.is_quick):
            continue
        if not application.is_installed:
            say(f"Installing {name} {application.version} …")
        if fault := install(application):
            say(f"{name} is not installed. {fault.command}: {fault.error}")


if __name__ == "__main__":
    main()
