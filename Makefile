VENV := .venv
PYTHON ?=
export PYTHON
PYTEST_PARALLEL = $(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --durations 20

.DEFAULT_GOAL := help
.PHONY: help run venv dev test test-fast bench fuzz mutants check interop-tools screenshots

help: ## Tell what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: venv ## Run everything embedded, until Ctrl-C
	@exec $(VENV)/bin/ostiary run

test: dev ## Run all tests on every core; those whose tools are missing skip and say so
	$(PYTEST_PARALLEL)

test-fast: dev ## Run the tests that start no deployment: unit, contract, service
	$(PYTEST_PARALLEL) tests/unit tests/contract tests/service

bench: dev ## Measure what a request costs (4 minutes; `--quick`, `--row` and more: python -m tests.bench --help)
	$(VENV)/bin/python -m tests.bench

fuzz: dev ## Give the parsers that face strangers 100 000 odd inputs (2 minutes; more: python -m tests.fuzz --help)
	$(VENV)/bin/python -m tests.fuzz

mutants: dev ## Change the rules that keep strangers out, a thing at a time (10 minutes; fewer: python -m tests.mutants --help)
	$(VENV)/bin/python -m tests.mutants

check: dev ## Lint, format, types and the rules of the house
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest --quiet tests/rules

interop-tools: ## Install what the interoperability tests drive (apt, npm, Go, Maven; asks for no password)
	@tests/interop/tools.sh

screenshots: dev ## Write every page and state to screenshots/, light and dark, narrow and wide
	$(VENV)/bin/python -m tests.screenshots screenshots

venv:
	@deploy/local/venv.sh $(VENV) requirements.lock

dev:
	@deploy/local/venv.sh $(VENV) requirements-dev.lock
