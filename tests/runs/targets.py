"""The targets that are run by hand, and what each is meant to cover."""

from collections.abc import Mapping

from tests.mutants.__main__ import TESTS

EVERYTHING = ("services", "shared")

MEANT: Mapping[str, tuple[str, ...]] = {
    "mutants": tuple(f"{module.replace('.', '/')}.py" for module in TESTS),
    "fuzz": EVERYTHING,
    "bench": EVERYTHING,
    "soak": EVERYTHING,
    "growth": EVERYTHING,
    "faults": EVERYTHING,
    "upgrade-test": EVERYTHING,
    "helm-test": ("deploy/kubernetes",),
    "applications": ("deploy/applications", "tests/applications", *EVERYTHING),
}
"""By the name under which the record has them. `fuzz`: a million inputs; `growth`: 100 000 flows; `faults`:
20 seeds of each fault."""
