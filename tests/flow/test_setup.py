"""`ostiary setup`: the files, the questions, a second run, and faults."""

import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.cli import main
from shared.config.environment import read_settings

ISSUER = "https://id.example.test/oidc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are written; it is not there yet."""
    return tmp_path / "etc" / "ostiary"


@pytest.fixture
def flags(database_url: str, redis_url: str) -> tuple[str, ...]:
    """What an operator gives without a terminal. Nothing answers at the issuer."""
    return ("--issuer", ISSUER, "--database-url", database_url, "--redis-url", redis_url)


def _setup(
    folder: Path, *flags: str, given: str | None = None, env: Mapping[str, str] | None = None
) -> Result:
    return CliRunner().invoke(main, ["setup", str(folder), *flags], input=given, env=env)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_writes_settings_and_a_secret_for_the_owner_alone(folder: Path, flags: tuple[str, ...]) -> None:
    """The settings are valid, the doctor has examined them, and the next commands are named."""
    done = _setup(folder, *flags, "--proxy", "caddy")
    assert done.exit_code == 0, done.output
    assert (_mode(folder), _mode(folder / "ostiary.env"), _mode(folder / "secret-key")) == (
        0o750,
        0o600,
        0o600,
    )
    settings = read_settings({"OSTIARY_ENV_FILE": str(folder / "ostiary.env")})
    assert settings.issuer == ISSUER
    assert len(settings.secret_key[0].get_secret_value()) >= 32
    for line in (
        "ok    PostgreSQL: ",
        "ok    Redis: ",
        "ok    Files: ",
        "ok    Migrations: ",
        "todo  Keys: ",
        "todo  Public URL: ",
    ):
        assert line in done.output
    for step in (
        f"OSTIARY_ENV_FILE={folder}/ostiary.env",
        "ostiary migrate",
        "deploy.proxies caddy",
        "user add",
    ):
        assert step in done.output
    assert settings.secret_key[0].get_secret_value() not in done.output


def test_a_second_run_changes_nothing(folder: Path, flags: tuple[str, ...]) -> None:
    """Without flags it takes the values of the first; secret and settings stay byte for byte."""
    assert _setup(folder, *flags, "--no-check").exit_code == 0
    before = {path: (path.read_bytes(), path.stat().st_ino) for path in folder.iterdir()}
    again = _setup(folder, "--no-check")
    assert again.exit_code == 0, again.output
    assert "secret-key: kept" in again.output
    assert "ostiary.env: unchanged" in again.output
    assert {path: (path.read_bytes(), path.stat().st_ino) for path in folder.iterdir()} == before


def test_another_value_is_written_only_on_purpose(folder: Path, flags: tuple[str, ...]) -> None:
    """`--overwrite` replaces it, and keeps the other lines and the secret."""
    assert _setup(folder, *flags, "--no-check").exit_code == 0
    env_file, secret = folder / "ostiary.env", (folder / "secret-key").read_text()
    env_file.write_text(env_file.read_text() + "# mine\nOSTIARY_LOG_LEVEL=debug\n")
    before = env_file.read_text()
    other = ("--issuer", "https://other.example.test/oidc", "--no-check")
    refused = _setup(folder, *other)
    assert (refused.exit_code, env_file.read_text()) == (1, before)
    assert "another OSTIARY_ISSUER: pass --overwrite" in refused.output
    assert _setup(folder, *other, "--overwrite").exit_code == 0
    settings = read_settings({"OSTIARY_ENV_FILE": str(env_file)})
    assert (settings.issuer, settings.log_level) == ("https://other.example.test/oidc", "debug")
    assert "# mine\n" in env_file.read_text()
    assert env_file.read_text().count("OSTIARY_ISSUER") == 1
    assert (folder / "secret-key").read_text() == secret


def test_at_a_terminal_it_asks(
    folder: Path, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that the setting refuses is asked for again, and Enter takes the earlier answer."""
    monkeypatch.setattr(sys.modules["services.cli.setup"], "_may_ask", lambda: True)
    answers = f"http://id.example.test/oidc\n{ISSUER}\n{database_url}\n{redis_url}\nhaproxy\n"
    done = _setup(folder, "--no-check", given=answers)
    assert done.exit_code == 0, done.output
    assert "deploy.proxies haproxy" in done.output
    again = _setup(folder, "--no-check", given="\n\n\n\n")
    assert again.exit_code == 0, again.output
    assert "unchanged" in again.output
    declined = _setup(folder, "--no-check", given="https://other.example.test/oidc\n\n\nn\n")
    assert declined.exit_code == 1
    assert read_settings({"OSTIARY_ENV_FILE": str(folder / "ostiary.env")}).issuer == ISSUER


def test_without_a_terminal_it_names_the_missing_flags(folder: Path) -> None:
    """Exit status 2, and nothing is written."""
    refused = _setup(folder, "--issuer", ISSUER)
    assert refused.exit_code == 2
    assert "give --database-url, --redis-url" in refused.output
    assert not folder.exists()


def test_secrets_need_not_stand_in_the_command(folder: Path, database_url: str, redis_url: str) -> None:
    """The environment is as good as the flags."""
    variables = {"OSTIARY_DATABASE_URL": database_url, "OSTIARY_REDIS_URL": redis_url}
    assert _setup(folder, "--issuer", ISSUER, "--no-check", env=variables).exit_code == 0
    settings = read_settings({"OSTIARY_ENV_FILE": str(folder / "ostiary.env")})
    assert settings.database_url
    assert settings.database_url.get_secret_value() == database_url


@pytest.mark.parametrize(
    ("flag", "value", "sentence"),
    [
        ("--issuer", "http://id.example.test/oidc", "OSTIARY_ISSUER: "),
        ("--database-url", "mysql://localhost/x", "OSTIARY_DATABASE_URL: "),
        ("--redis-url", "http://localhost", "OSTIARY_REDIS_URL: "),
        ("--trusted-proxies", "everybody", "OSTIARY_TRUSTED_PROXIES: "),
    ],
)
def test_a_malformed_value_writes_nothing(
    folder: Path, flags: tuple[str, ...], flag: str, value: str, sentence: str
) -> None:
    """The fault of the setting is named."""
    refused = _setup(folder, *flags, flag, value)
    assert refused.exit_code == 1
    assert sentence in refused.output
    assert not folder.exists()


def test_stores_that_do_not_answer_fail_the_check(folder: Path, flags: tuple[str, ...]) -> None:
    """The files are written, and the exit status is 1."""
    failed = _setup(folder, *flags, "--redis-url", "redis://127.0.0.1:1")
    assert failed.exit_code == 1
    assert "FAIL  Redis: does not answer" in failed.output
    assert (folder / "ostiary.env").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """One line, without a traceback."""
    (tmp_path / "file").touch()
    failed = _setup(tmp_path / "file" / "below", *flags, "--no-check")
    assert failed.exit_code == 1
    assert failed.output.strip().startswith("Error: ")
    assert len(failed.output.strip().splitlines()) == 1
