"""Kustomize bases and overlays. `base/` is rendered: one file for each service, and the routes."""
