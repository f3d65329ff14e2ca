"""Write the alerts and dashboards of a deployment to a folder."""

from pathlib import Path

import click
import orjson

from deploy.observability.alerts import RUNBOOK, rule_file
from deploy.observability.dashboards import DASHBOARDS, grafana


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--runbook", default=RUNBOOK, show_default=True, metavar="URL", help="Where deploy/README.md is served."
)
def main(folder: Path, runbook: str) -> None:
    """Write Prometheus' rules and Grafana's dashboards to FOLDER.

    The rules are JSON, which is YAML: name `ostiary.rules.yaml` in Prometheus' `rule_files`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"ostiary.rules.yaml": rule_file(runbook)}
    files |= {f"{dashboard.uid}.json": grafana(dashboard) for dashboard in DASHBOARDS}
    for name, content in files.items():
        (folder / name).write_bytes(
            orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        )
        click.echo(folder / name)


if __name__ == "__main__":
    main(prog_name="python -m deploy.observability")
