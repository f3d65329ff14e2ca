"""Writes the files of a production deployment: its settings, and the secret key beside them."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.config.env_file import line, parse
from shared.config.environment import read_settings
from shared.config.settings import NAME_PREFIX, Settings
from shared.process.operator_error import OperatorError

ENV_FILE, SECRET_KEY_FILE = "ostiary.env", "secret-key"
SECRET_BYTES = 32
OWNER_ONLY = 0o600
FOLDER_MODE = 0o750


class SetupError(OperatorError):
    """The files cannot be written, or would be overwritten. The message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class SetupFiles:
    """Where a deployment's files are."""

    folder: Path

    @property
    def env_file(self) -> Path:
        """What OSTIARY_ENV_FILE names."""
        return self.folder / ENV_FILE

    @property
    def secret_key(self) -> Path:
        """What OSTIARY_SECRET_KEY_FILE names."""
        return self.folder / SECRET_KEY_FILE

    def values(self) -> Mapping[str, str]:
        """The settings in the file by name; none if there is no file. Raises SetupError."""
        parsed = parse(self._text(), NAME_PREFIX)
        if parsed.faults:
            raise SetupError(f"{self.env_file} cannot be read: {'; '.join(parsed.faults)}")
        return parsed.values

    def settings(self) -> Settings:
        """As every process reads them. Raises SettingsError."""
        return read_settings({"OSTIARY_ENV_FILE": str(self.env_file)})

    def replaced(self, wanted: Mapping[str, str]) -> tuple[str, ...]:
        """The names whose value in the file is another one than *wanted*. Raises SetupError."""
        present = self.values()
        return tuple(name for name, value in wanted.items() if present.get(name, value) != value)

    def write_secret_key(self) -> bool:
        """Create the secret key. Returns False, and leaves the file alone, if there is one.

        Raises SetupError.
        """
        self._make_folder()
        try:
            descriptor = os.open(self.secret_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        except FileExistsError:
            return False
        except OSError as fault:
            raise _not_written(self.secret_key, fault) from None
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
        return True

    def write_settings(self, wanted: Mapping[str, str]) -> bool:
        """Set *wanted* in the file; other lines stay. Returns whether the file has changed.

        Raises SetupError.
        """
        present, text = self.values(), self._text()
        changed = {name: value for name, value in wanted.items() if present.get(name) != value}
        if not changed:
            return False
        unchanged = [
            each
            for each in text.splitlines(keepends=True)
            if not parse(each, NAME_PREFIX).values.keys() & changed
        ]
        whole = "".join((*unchanged, *(line(name, value) for name, value in changed.items())))
        self._make_folder()
        self._replace(whole)
        return True

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        except OSError as fault:
            raise _not_written(self.folder, fault) from None

    def _text(self) -> str:
        try:
            text = self.env_file.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as fault:
            raise SetupError(f"{self.env_file} cannot be read: {fault}") from None
        return text if text.endswith("\n") or not text else f"{text}\n"

    def _replace(self, text: str) -> None:
        """A reader sees the old file or the new one. The account that owns the old one owns the new one."""
        new = self.env_file.with_suffix(".new")
        try:
            with suppress(FileNotFoundError):
                new.unlink()
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            with suppress(FileNotFoundError):
                before = self.env_file.stat()
                os.chown(new, before.st_uid, before.st_gid)
                new.chmod(before.st_mode & 0o640)
            new.replace(self.env_file)
        except OSError as fault:
            raise _not_written(self.env_file, fault) from None


def _not_written(path: Path, fault: OSError) -> SetupError:
    return SetupError(f"{path} cannot be written: {fault.strerror}")
