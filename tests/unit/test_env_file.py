"""Environment files mean the same as for Docker Compose and systemd, or are refused."""

from pathlib import Path

import pytest

from shared.config.env_file import line, parse
from shared.config.environment import read_settings
from shared.config.settings import SettingsError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("OSTIARY_A=plain", "plain"),
        ("OSTIARY_A=two words  ", "two words"),
        ("OSTIARY_A = spaced", "spaced"),
        ("  OSTIARY_A=indented", "indented"),
        ('OSTIARY_A="in quotes"', "in quotes"),
        ('OSTIARY_A=" kept "', " kept "),
        ("OSTIARY_A='$literal \\ # \"'", '$literal \\ # "'),
        (r'OSTIARY_A="\"\\\$"', '"\\$'),
        ("OSTIARY_A=it's", "it's"),
        ("OSTIARY_A=a#b", "a#b"),
        ("OSTIARY_A=a=b", "a=b"),
        ("export OSTIARY_A=exported", "exported"),
        ("\ufeffOSTIARY_A=after a mark", "after a mark"),
        ("OSTIARY_A=windows\r\nOSTIARY_B=x", "windows"),
        ("OSTIARY_A=first\nOSTIARY_A=last", "last"),
        ("# OSTIARY_A=comment\nOSTIARY_A=value", "value"),
        ("OSTIARY_A=", ""),
        ('OSTIARY_A=""', ""),
    ],
)
def test_a_value_is_read(text: str, value: str) -> None:
    """Values with and without quotes are read."""
    file = parse(text, "OSTIARY_")
    assert (file.values["OSTIARY_A"], file.faults) == (value, ())


@pytest.mark.parametrize(
    "text",
    [
        "OSTIARY_A=value # comment",
        "OSTIARY_A=$HOME",
        "OSTIARY_A=back\\slash",
        'OSTIARY_A="$HOME"',
        r'OSTIARY_A="\n"',
        'OSTIARY_A="open',
        "OSTIARY_A='open",
        'OSTIARY_A="a" b',
        "OSTIARY_A='a'b",
        "OSTIARY_A='a\\'",
        "OSTIARY_A",
    ],
)
def test_a_value_that_others_read_differently_is_refused(text: str) -> None:
    """The fault has the line and the name, but not the value, which may be a secret."""
    file = parse(f"\n{text}", "OSTIARY_")
    (fault,) = file.faults
    assert fault.startswith("line 2, OSTIARY_A: ")
    assert file.values == {}


def test_lines_of_another_program_are_not_read() -> None:
    """Lines of other programs may have any form."""
    file = parse("SECRET_KEY=x\nDATABASE_URL=$URL # ours\n[section]\nnot a pair\n", "OSTIARY_")
    assert (file.values, file.faults) == ({}, ())


@pytest.mark.parametrize("value", ["plain", 'a "quoted" $value \\', "", " # "])
def test_a_line_that_is_written_is_read_back(value: str) -> None:
    """Every value without a line break is read back."""
    assert parse(line("OSTIARY_A", value), "OSTIARY_").values == {"OSTIARY_A": value}


def test_settings_of_another_application_are_not_ours(tmp_path: Path) -> None:
    """Names without the prefix, such as DATABASE_URL, are ignored."""
    file = tmp_path / "env"
    file.write_text(
        "DATABASE_URL=mysql://h/d\nSECRET_KEY=short\nLOG_LEVEL=loud\n"
        f'export OSTIARY_SECRET_KEY="{"s" * 32}"\nOSTIARY_LOG_LEVEL=debug\n'
    )
    settings = read_settings({"OSTIARY_ENV_FILE": str(file)})
    assert settings.database_url is None
    assert settings.log_level == "debug"
    assert [key.get_secret_value() for key in settings.secret_key] == ["s" * 32]


def test_faults_of_the_file_are_told_with_the_others(tmp_path: Path) -> None:
    """Faults of the file, such as unknown settings, are reported with all others."""
    file = tmp_path / "env"
    file.write_text("OSTIARY_ISSUER=$ISSUER\nOSTIARY_NO_SUCH=1\n")
    with pytest.raises(SettingsError) as caught:
        read_settings({"OSTIARY_ENV_FILE": str(file), "OSTIARY_LOG_LEVEL": "loud"})
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "OSTIARY_ENV_FILE",
        "OSTIARY_LOG_LEVEL",
        "OSTIARY_NO_SUCH",
    ]
