"""Print the software bill of materials of this environment, in CycloneDX 1.6 JSON.

It lists the installed Python distributions and, on Debian, the packages of the system. It has no time and no
random serial number, so that the same environment gives the same bytes.
"""

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import quote

DPKG_STATUS = Path("/var/lib/dpkg/status")
_SELF = "ostiary"


def _component(purl: str, name: str, version: str) -> dict[str, Any]:
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _python(distribution: Distribution) -> dict[str, Any]:
    """The component of one distribution, with its licence where the metadata have an expression."""
    name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower()
    purl = f"pkg:pypi/{name}@{distribution.version}"
    component = _component(purl, name, distribution.version)
    licences = distribution.metadata.get_all("License-Expression") or []
    return {**component, **({"licenses": [{"expression": licences[0]}]} if licences else {})}


def debian_components(status: str) -> Iterator[dict[str, Any]]:
    """The components of the packages that dpkg's *status* file calls installed."""
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^([A-Z][A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status") == "install ok installed":
            name, version = fields["Package"], fields["Version"]
            purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={fields['Architecture']}"
            yield _component(purl, name, version)


def bill_of_materials(dpkg_status: Path = DPKG_STATUS) -> dict[str, Any]:
    """The whole document, with Ostiary as its subject."""
    components = {each["purl"]: each for each in map(_python, distributions())}
    subject = next(each for each in components.values() if each["name"] == _SELF)
    if dpkg_status.exists():
        components |= {each["purl"]: each for each in debian_components(dpkg_status.read_text("utf-8"))}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {**subject, "type": "application"}},
        "components": [components[purl] for purl in sorted(components) if purl != subject["purl"]],
    }


if __name__ == "__main__":
    json.dump(bill_of_materials(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")
