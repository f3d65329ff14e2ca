"""Blocks of deploy/README.md that need only the stores, run as they are but for their names and paths."""

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from deploy.local.postgres import find_binaries
from tests.flow.starter import ROOT

GUIDE = (ROOT / "deploy" / "README.md").read_text("utf-8")


def _block(begin: str) -> str:
    """The block that begins so."""
    (found,) = re.findall(rf"^```\w+\n({re.escape(begin)}.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return str(found)


async def test_the_role_and_its_database(database_url: str) -> None:
    """The role owns the database, and each of its sessions has the three timeouts."""
    name = f"guide_{uuid4().hex[:8]}"
    statements = (_block("CREATE ROLE") + _block("ALTER ROLE")).replace("ostiary", name)
    administrator = await asyncpg.connect(database_url)
    try:
        for statement in statements.split(";\n"):
            if statement.strip():
                await administrator.execute(statement)
        url = re.sub(r"//[^/]*@", f"//{name}:a%20long%20random%20password@", database_url)
        role = await asyncpg.connect(url, database=name)
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        found = [await role.fetchval("SELECT current_setting($1)", setting) for setting in names]
        await role.execute("CREATE TABLE public.mine ()")
        await role.close()
        assert found == ["1500ms", "1s", "1500ms"]
    finally:
        await administrator.execute(f"DROP DATABASE IF EXISTS {name}")
        await administrator.execute(f"DROP ROLE IF EXISTS {name}")
        await administrator.close()


@pytest.mark.usefixtures("ostiary")
def test_a_backup(database_url: str, redis_url: str, tmp_path: Path) -> None:
    """It leaves a dump and a manifest."""
    folder = tmp_path / "backup"
    script = (
        _block("$ ostiary backup").replace("$ ", "").replace("/var/backups/ostiary/2026-05-01", str(folder))
    )
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{find_binaries()}:{os.environ['PATH']}",
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_SECRET_KEY": "s" * 32,
    }
    subprocess.run(script, shell=True, env=environment, cwd=tmp_path, check=True)
    assert {file.name for file in folder.iterdir()} == {"database.dump", "manifest.json"}
