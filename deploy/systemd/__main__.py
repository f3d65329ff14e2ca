"""Write the units of systemd to a folder."""

from pathlib import Path

import click

from deploy.systemd.render import Machine, units

_DEFAULT = Machine()


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path))
@click.option("--program", default=_DEFAULT.program, show_default=True, help="The `ostiary` command.")
@click.option("--env-file", default=_DEFAULT.env_file, show_default=True, help="OSTIARY_ENV_FILE.")
@click.option("--user", default=_DEFAULT.user, show_default=True, help="Account and group of the processes.")
def main(folder: Path, program: str, env_file: str, user: str) -> None:
    """Write the units of systemd to FOLDER, such as /etc/systemd/system, and print their names."""
    for name, text in units(Machine(program, env_file, user)):
        (folder / name).write_text(text, "utf-8")
        click.echo(name)


main()
