"""Programs of an application whose environment is a Debian of its own."""

import shutil
from pathlib import Path

from tests.applications.catalogue import Application
from tests.flow.op import Op
from tests.tools import needs

CA_FILE = "/etc/ssl/certs/ca-certificates.crt"  # where Debian's programs look


def in_root(op: Op, application: Application, folder: Path, *argv: str) -> tuple[str, ...]:
    """The command that runs *argv* there, with this machine's network, *folder*, and trust in *op*."""
    root, own, hosts = str(application.environment / "root"), str(folder), "/etc/hosts"
    ca_file = folder / "ca.crt"
    shutil.copyfile(op.ca_file, ca_file)
    ca_file.chmod(0o644)  # servers that drop their privileges read it
    return (
        *(needs("bwrap"), "--bind", root, "/", "--dev", "/dev", "--proc", "/proc"),
        *("--tmpfs", "/run", "--perms", "1777", "--tmpfs", "/tmp"),
        *("--ro-bind", hosts, hosts, "--ro-bind", str(ca_file), CA_FILE, "--bind", own, own),
        *("--setenv", "SSL_CERT_FILE", CA_FILE, "--cap-add", "ALL"),
        *("--die-with-parent", "--chdir", own, *argv),
    )
