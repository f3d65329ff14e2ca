"""What remains to be done after `ostiary setup`. Pure."""

from collections.abc import Iterator

from shared.operations.setup import SetupFiles

PROXIES = ("nginx", "caddy", "haproxy", "traefik", "envoy")


def next_steps(files: SetupFiles, proxy: str | None) -> str:
    """The commands that lead from the files to the first user."""
    steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(_steps(files, proxy), 1))
    return f"\nNext, with OSTIARY_ENV_FILE={files.env_file}:\n{steps}"


def _steps(files: SetupFiles, proxy: str | None) -> Iterator[str]:
    yield f"Keep a copy of {files.secret_key} outside this machine, apart from the backups."
    yield f"Give them to the account of the services: chown ostiary: {files.secret_key} {files.env_file}"
    yield "Create the tables: ostiary migrate"
    yield "Start the services: ostiary serve all --listen 127.0.0.1:8101, or the units of deploy/README.md"
    yield f"Configure the reverse proxy: python -m deploy.proxies {proxy or 'NAME'} --help"
    yield "Check the deployment: ostiary doctor"
    yield "Add the first administrator: ostiary user add NAME --email ADDRESS --admin"
