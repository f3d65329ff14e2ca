"""The units, rendered from the names of the services."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from shared.paths import Service

_FOLDER = Path(__file__).parent
WORKER = "worker"
TARGET = "ostiary.target"
MIGRATE = "ostiary-migrate.service"


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between machines."""

    program: str = "/opt/ostiary/.venv/bin/ostiary"
    env_file: str = "/etc/ostiary/ostiary.env"
    user: str = "ostiary"


def unit_of(name: str) -> str:
    """The file of the unit of service *name*; an instance is written `ostiary-NAME@1.service`."""
    return f"ostiary-{name}@.service"


def socket_of(name: str, number: int = 1) -> str:
    """Where that instance listens."""
    return f"/run/ostiary-{name}-{number}/socket"


def units(machine: Machine) -> Iterator[tuple[str, str]]:
    """The name and the text of each file."""
    values = {"program": machine.program, "user": machine.user, "env_file": machine.env_file}
    confined = _filled("confined.template", values)
    for name in (*(str(service) for service in Service), WORKER):
        description = f"Ostiary's {name} service, process %i" if name != WORKER else "Ostiary's worker"
        own = {**values, "confined": confined, "name": name, "description": description}
        yield unit_of(name), _filled("service.template", own)
    yield MIGRATE, _filled("migrate.template", {**values, "confined": confined})
    yield TARGET, (_FOLDER / TARGET).read_text("utf-8")


def _filled(template: str, values: Mapping[str, str]) -> str:
    return Template((_FOLDER / template).read_text("utf-8")).substitute(values)
