"""libpq's environment variables, which describe no way to PostgreSQL here."""

import os
from collections.abc import MutableMapping


def ignore_libpq_environment(environ: MutableMapping[str, str] = os.environ) -> None:
    """Remove libpq's variables, such as PGPORT and PGSSLMODE: only settings describe the way to PostgreSQL.

    Otherwise asyncpg would take from them whatever the URL leaves open.
    """
    for name in [name for name in environ if name.startswith("PG")]:
        del environ[name]
