"""Runs a service with planted defects as a process, for tests that must catch them.

python -m tests.planted AREA.DEFECT[,AREA.DEFECT…] SERVICE HOST:PORT|unix:PATH [OPTION…]
"""

import sys
from importlib import import_module

import pytest

from services.cli import main

if __name__ == "__main__":
    defects, service, address, *options = sys.argv[1:]
    monkeypatch = pytest.MonkeyPatch()
    for name in defects.split(","):
        area, _, defect = name.rpartition(".")
        getattr(import_module(f"tests.planted.{area}"), defect)(monkeypatch)
    main(["serve", service, "--listen", address, *options])
