"""The Helm chart, made of the files for kustomize: what people change becomes a value."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the chart. The defaults are those of the overlay `production`."""

    name: str
    default: Any
    meaning: str


VALUES = (
    Value("host", "id.example.org", "the public host; the issuer is `https://HOST/oidc`"),
    Value("image", "ostiary", "the image of every service"),
    Value("tag", "dev", "its tag"),
    Value("secret", "ostiary", "the Secret with the keys `database-url`, `redis-url` and `secret-key`"),
    Value("trustedProxies", "10.0.0.0/8", "`OSTIARY_TRUSTED_PROXIES`: the addresses of the gateway"),
    Value("settings", {}, "other settings, by their names"),
    Value("metrics", True, "whether every process has metrics, at port 9100"),
    Value("replicas", 3, "how many pods each service has at least"),
    Value("maxReplicas", 30, "and at most"),
    Value("scaleByLag", True, "whether pods are added for a late event loop; needs metrics"),
    Value("zones", True, "whether pods are spread over zones, not only over nodes"),
    Value(
        "resources",
        {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "what each pod requests, and its limits",
    ),
    Value("route", "gateway", "how requests come in: `gateway` (an HTTPRoute), `ingress` or `none`"),
    Value("gateway", {"name": "gateway", "namespace": "gateway"}, "the gateway of the HTTPRoute"),
    Value("ingress", {"class": "", "secret": "ostiary-tls"}, "the class of the Ingress, and its certificate"),
)
SMALL: Mapping[str, Any] = {
    "metrics": False,
    "replicas": 1,
    "maxReplicas": 10,
    "scaleByLag": False,
    "zones": False,
    "route": "ingress",
}
"""The values that make the chart the overlay `small`."""

_CHART = f"""apiVersion: v2
name: ostiary
description: OpenID Connect provider and OAuth 2.0 authorization server
type: application
version: {VERSION}
appVersion: {VERSION}
"""
_SETTINGS = """apiVersion: v1
kind: ConfigMap
metadata:
  name: ostiary
data:
  OSTIARY_ISSUER: https://{{ .Values.host }}/oidc
  OSTIARY_TRUSTED_PROXIES: {{ quote .Values.trustedProxies }}
  OSTIARY_WORKER: alone
{{- if .Values.metrics }}
  OSTIARY_METRICS_LISTEN: 0.0.0.0:9100
{{- end }}
{{- range $name, $value := .Values.settings }}
  {{ $name }}: {{ quote $value }}
{{- end }}
"""
_REPLACED: Mapping[str, str] = {
    r"^metadata:\n  name: (.+)\n(?:  labels: \{(.+)\}\n)?": r"""metadata:
  name: \1
  namespace: {{ .Release.Namespace }}
  labels: {app.kubernetes.io/name: ostiary, app.kubernetes.io/part-of: ostiary, \2}
""",
    r"^  name: migrate\n(?=.*\n.*\nspec:\n  backoffLimit)": "  name: migrate-{{ .Release.Revision }}\n",
    r"^  replicas: 2$": "  replicas: {{ .Values.replicas }}",
    r"^  minReplicas: 2$": "  minReplicas: {{ .Values.replicas }}",
    r"^  maxReplicas: 10$": "  maxReplicas: {{ .Values.maxReplicas }}",
    r"^  minAvailable: 1$": "  minAvailable: {{ max 1 (sub .Values.replicas 1) }}",
    r"^    metadata:\n(?=      labels: .*component: (?!migrate))": """    metadata:
      annotations:
        checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum | quote }}
""",
    r"^      topologySpreadConstraints:\n(?:        .+\n)+": r"""\g<0>{{- if .Values.zones }}
        - topologyKey: topology.kubernetes.io/zone
          maxSkew: 1
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {app.kubernetes.io/name: ostiary}
{{- end }}
""",
    r" image: ostiary:dev$": " image: {{ .Values.image }}:{{ .Values.tag }}",
    r"secretKeyRef: \{name: ostiary,": "secretKeyRef: {name: {{ .Values.secret }},",
    r"^          resources:\n(?:            .+\n)+": "          resources: {{ toJson .Values.resources }}\n",
    r"^    - type: Pods\n(?:      .+\n)+": r"{{- if .Values.scaleByLag }}\n\g<0>{{- end }}\n",
    r"parentRefs: \[.+\]": "parentRefs: [{{ toJson .Values.gateway }}]",
    r"secretName: ostiary-tls": "secretName: {{ .Values.ingress.secret }}",
    r"^  tls: ": r"""{{- with .Values.ingress.class }}
  ingressClassName: {{ . }}
{{- end }}
  tls: """,
    r"id\.example\.org": "{{ .Values.host }}",
}
"""Regular expressions of lines in the files for kustomize, with what the chart has in their place."""


def chart(objects: Mapping[str, str], routes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The path and the text of each file of the chart.

    objects: the files of `base`. routes: the object of each value of `route`.
    """
    yield "Chart.yaml", _CHART
    yield (
        "values.yaml",
        "".join(f"\n# {value.meaning}\n{value.name}: {json.dumps(value.default)}\n" for value in VALUES),
    )
    yield "values-small.yaml", "".join(f"{name}: {json.dumps(value)}\n" for name, value in SMALL.items())
    yield "values.schema.json", json.dumps(_schema(), indent=2) + "\n"
    yield "templates/settings.yaml", _templated(_SETTINGS)
    for name, text in objects.items():
        yield f"templates/{name}", _templated(text)
    for route, text in routes.items():
        yield (
            f"templates/{route}.yaml",
            f'{{{{- if eq .Values.route "{route}" }}}}\n{_templated(text)}{{{{- end }}}}\n',
        )


def _templated(text: str) -> str:
    for pattern, replacement in _REPLACED.items():
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return text.replace(", }", "}")


def _schema() -> dict[str, Any]:
    """The JSON Schema by which Helm refuses values that it does not have, or of another type."""
    names = {str: "string", bool: "boolean", int: "integer", dict: "object"}
    types: dict[str, Any] = {value.name: {"type": names[type(value.default)]} for value in VALUES}
    types["route"]["enum"] = ["gateway", "ingress", "none"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {**types, "global": {"type": "object"}},
        "additionalProperties": False,
    }
