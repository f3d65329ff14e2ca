"""What watches a deployment: Grafana dashboards and Prometheus alerts over the metrics of `shared/server`.

`python -m deploy.observability FOLDER` writes them. Each alert leads to its entry in the runbook of
`deploy/README.md`.
"""
