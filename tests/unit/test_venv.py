"""The messages of `make run` about an unsuitable Python."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n'
COMPLETE = '#!/bin/sh\ncase "$*" in *"-m venv"*) echo chosen: $0; exit 1;; esac\n'


def _program(name: str) -> str:
    path = shutil.which(name)
    assert path
    return path


def _venv(folder: Path, pythons: dict[str, str], **environment: str) -> "subprocess.CompletedProcess[str]":
    programs = folder / "bin"
    programs.mkdir()
    for name, script in pythons.items():
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    for name in ("sh", "cat", "cksum", "grep", "basename"):
        (programs / name).symlink_to(_program(name))
    return subprocess.run(
        (str(ROOT / "deploy/local/venv.sh"), str(folder / "venv"), "requirements.lock"),
        cwd=ROOT,
        env={"PATH": str(programs), "HOME": str(folder)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("pythons", "environment", "words"),
    [
        ({}, {}, "Python 3.11 or newer is needed"),
        ({"python3": TOO_OLD}, {}, "Python 3.11 or newer is needed, and python3 is not that"),
        ({"python3": COMPLETE, "mine": TOO_OLD}, {"PYTHON": "mine"}, "and mine is not that"),
        ({"python3": WITHOUT_VENV}, {}, "python3 cannot make virtual environments"),
    ],
)
def test_a_python_that_will_not_do_is_told(
    tmp_path: Path, pythons: dict[str, str], environment: dict[str, str], words: str
) -> None:
    """One sentence with the fault, and how to choose another Python."""
    done = _venv(tmp_path, pythons, **environment)
    assert done.returncode == 1
    assert words in done.stderr
    assert "make run PYTHON=python3.12" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("first", [TOO_OLD, WITHOUT_VENV])
def test_a_newer_python_on_the_path_is_taken(tmp_path: Path, first: str) -> None:
    """python3 is too old or cannot make environments, and python3.12 can."""
    done = _venv(tmp_path, {"python3": first, "python3.12": COMPLETE})
    assert "chosen: " + str(tmp_path / "bin" / "python3.12") in done.stdout


def test_an_environment_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    """Nothing is installed, and nothing printed, while neither the lock nor the place has changed."""
    binaries = tmp_path / "venv" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(_program("true"))
    sum_up = ("sh", "-c", "{ pwd && cat requirements.lock pyproject.toml; } | cksum")
    wanted = subprocess.run(sum_up, cwd=ROOT, capture_output=True, check=True)
    (tmp_path / "venv" / "requirements.lock.installed").write_bytes(wanted.stdout)
    done = _venv(tmp_path, {})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
