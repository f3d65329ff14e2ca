"""The objects for Kubernetes, as `kubectl kustomize` puts them together."""

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.kubernetes.render import FOLDER, WORKER
from shared.config.environment import read_settings
from shared.paths import PATHS, Group, Service
from shared.server.metric_table import METRICS
from tests.packaging.kubernetes import OVERLAYS, faults, overlay
from tests.tools import needs

SERVICES = (*map(str, Service), WORKER)
EACH = ("Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy")
LAG = "ostiary_event_loop_lag_seconds"
PUBLIC = [path for path in PATHS if path.group in (Group.PUBLIC, Group.ROOT_ALIAS)]


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[Any]:
    """All objects of an overlay."""
    return list(yaml.safe_load_all(overlay(request.param)))


def _all(objects: list[Any], kind: str) -> dict[str, Any]:
    return {each["metadata"]["name"]: each for each in objects if each["kind"] == kind}


def _pods(objects: list[Any]) -> dict[str, Any]:
    found = {**_all(objects, "Deployment"), **_all(objects, "Job")}
    return {name: each["spec"]["template"] for name, each in found.items()}


def test_each_service_has_all_of_its_objects(objects: list[Any]) -> None:
    """Beside them are the migration, the policy that denies, the configuration and one kind of route."""
    kinds = Counter(each["kind"] for each in objects)
    for kind in EACH:
        assert set(SERVICES) <= _all(objects, kind).keys()
    assert kinds["NetworkPolicy"] == len(SERVICES) + 2
    assert (kinds["Job"], kinds["ConfigMap"], kinds["Secret"]) == (1, 1, 0)
    assert kinds["HTTPRoute"] + kinds["Ingress"] == 1
    assert {each["metadata"].get("namespace") for each in objects} == {"ostiary"}


def test_the_schemas_of_kubernetes_accept_every_object(objects: list[Any], tmp_path: Path) -> None:
    """They know every member, and each has the right type. A misspelt one is found."""
    assert faults(objects, tmp_path) == []
    deployment = next(each for each in objects if each["kind"] == "Deployment")
    misspelt = {**deployment, "spec": {**deployment["spec"], "replica": 2}}
    assert any("replica" in fault for fault in faults([misspelt], tmp_path))


def test_the_schemas_of_the_gateway_api_find_mistakes(tmp_path: Path) -> None:
    """An unknown member, a path of a kind that there is not, a port that is none, and a version to come."""
    (route,) = (each for each in yaml.safe_load_all(overlay("production")) if each["kind"] == "HTTPRoute")
    rule = route["spec"]["rules"][0]
    path, (backend,) = rule["matches"][0]["path"], rule["backendRefs"]

    def ruled(**changes: Any) -> dict[str, Any]:
        return {**route, "spec": {**route["spec"], "rules": [{**rule, **changes}]}}

    for mistaken, named in (
        ({**route, "spec": {**route["spec"], "hostname": "id.example.org"}}, "'hostname' was unexpected"),
        (ruled(matches=[{"path": {**path, "type": "Regex"}}]), "'Regex' is not one of"),
        (ruled(backendRefs=[{**backend, "port": 65536}]), "65536 is greater than"),
        ({**route, "apiVersion": "gateway.networking.k8s.io/v2"}, "v2 is not served"),
    ):
        (fault,) = faults([mistaken], tmp_path)
        assert named in fault


def test_every_pod_is_restricted(objects: list[Any]) -> None:
    """By the restricted Pod Security Standard, with a read-only root and no token of the cluster."""
    pods = _pods(objects)
    assert pods.keys() == {*SERVICES, "migrate"}
    for pod in pods.values():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_the_configuration_is_named_by_its_hash_and_secrets_one_by_one(objects: list[Any]) -> None:
    """A change of a setting starts new pods; the settings are those of the services."""
    (name,) = _all(objects, "ConfigMap")
    assert name.startswith("ostiary-")
    for pod in _pods(objects).values():
        (container,) = pod["spec"]["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": name}}]
        assert all(entry["valueFrom"]["secretKeyRef"]["name"] == "ostiary" for entry in container["env"])
    secrets = {
        "OSTIARY_DATABASE_URL": "postgresql://ostiary@postgresql/ostiary",
        "OSTIARY_SECRET_KEY": "s" * 32,
    }
    settings = read_settings({**_all(objects, "ConfigMap")[name]["data"], **secrets})
    assert settings.worker == "alone"


def test_a_rollout_takes_no_process_away_first(objects: list[Any]) -> None:
    """New pods come before old ones go, spread over the nodes; start-up is probed apart from liveness."""
    for name, deployment in _all(objects, "Deployment").items():
        spec = deployment["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        pod = spec["template"]["spec"]
        assert "kubernetes.io/hostname" in {each["topologyKey"] for each in pod["topologySpreadConstraints"]}
        (container,) = pod["containers"]
        assert container["args"] == ["serve", name, "--listen", "0.0.0.0:8080"]
        probes = [
            container[probe]["httpGet"]["path"]
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        ]
        assert probes == ["/healthz", "/healthz", "/readyz"]
        smallest = _all(objects, "HorizontalPodAutoscaler")[name]["spec"]["minReplicas"]
        assert smallest == spec["replicas"]
        available = _all(objects, "PodDisruptionBudget")[name]["spec"]["minAvailable"]
        assert 1 <= available <= max(1, smallest - 1)


def test_pods_are_added_for_cpu_and_for_a_late_event_loop(objects: list[Any]) -> None:
    """The second one is a metric of ours, where the processes have metrics."""
    (settings,) = _all(objects, "ConfigMap").values()
    has_metrics = "OSTIARY_METRICS_LISTEN" in settings["data"]
    for scaler in _all(objects, "HorizontalPodAutoscaler").values():
        cpu, *others = scaler["spec"]["metrics"]
        assert (cpu["type"], cpu["resource"]["name"]) == ("Resource", "cpu")
        assert [each["pods"]["metric"]["name"] for each in others] == [LAG] * has_metrics


def test_the_adapter_makes_the_metric_that_pods_are_added_for(tmp_path: Path) -> None:
    """Its rule makes one number a pod of the histogram, in a query that Prometheus reads."""
    values = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())
    (rule,) = values["rules"]["custom"]
    series = rule["seriesQuery"].partition("{")[0]
    matched = re.fullmatch(rule["name"]["matches"], series)
    assert matched
    assert matched[1] == LAG in {metric.name for metric in METRICS}
    query = rule["metricsQuery"].replace("<<.GroupBy>>", "pod").replace("<<.LabelMatchers>>", 'pod="a"')
    assert set(re.findall(r"ostiary_\w+", query)) == {f"{LAG}_sum", f"{LAG}_count"}
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": [{"record": "a", "expr": query}]}]}))
    done = subprocess.run((needs("promtool"), "check", "rules", str(rules)), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_is_not_allowed_is_denied(objects: list[Any]) -> None:
    """One policy denies all in both directions; no other one allows every peer to come in."""
    policies = _all(objects, "NetworkPolicy")
    assert policies["default-deny"]["spec"].keys() == {"podSelector", "policyTypes"}
    for policy in policies.values():
        assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert all(rule["from"] and rule["ports"] for rule in policy["spec"].get("ingress", ()))
        assert all(rule["ports"] for rule in policy["spec"].get("egress", ()))


def test_the_routes_are_the_public_paths(objects: list[Any]) -> None:
    """Every one leads to its service; administration, health and metrics have none."""
    expected = Counter((path.path.partition("/{")[0], str(path.service)) for path in PUBLIC)
    found: Counter[tuple[str, str]] = Counter()
    for route in _all(objects, "HTTPRoute").values():
        for rule in route["spec"]["rules"]:
            (backend,) = rule["backendRefs"]
            values = [match["path"]["value"] for match in rule["matches"]]
            found.update((value.partition("/[^/]+")[0], backend["name"]) for value in values)
    for ingress in _all(objects, "Ingress").values():
        for entry in ingress["spec"]["rules"][0]["http"]["paths"]:
            found[entry["path"], entry["backend"]["service"]["name"]] += 1
    assert found == expected
    assert not any(path.startswith(("/oidc/admin", "/metrics", "/healthz", "/readyz")) for path, _ in found)
