VENV := .venv
PYTHON ?=
export PYTHON
unexport PYTHONDONTWRITEBYTECODE  # modules are compiled once, not in every process
PYTEST_PARALLEL = $(VENV)/bin/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 20

.DEFAULT_GOAL := help
.PHONY: help run venv dev test test-fast bench fuzz mutants faults check wheel image image-test helm-test
.PHONY: upgrade-test interop-tools application-tools applications screenshots

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

run: venv ## Run everything embedded, until Ctrl-C
	@exec $(VENV)/bin/ostiary run

test: dev ## Run all tests on every core; tests whose tools are missing are skipped
	$(PYTEST_PARALLEL)

test-fast: dev ## Run the tests that start no deployment: unit, contract, service
	$(PYTEST_PARALLEL) tests/unit tests/contract tests/service

bench: dev ## Measure the cost of each request (4 minutes; `--quick`, `--row` and more: python -m tests.bench --help)
	$(VENV)/bin/python -m tests.bench

fuzz: dev ## Fuzz the parsers of untrusted data with 100 000 inputs (2 minutes; more: python -m tests.fuzz --help)
	$(VENV)/bin/python -m tests.fuzz

mutants: dev ## Mutate security rules and own infrastructure (hours; fewer modules: python -m tests.mutants --help)
	$(VENV)/bin/python -m tests.mutants

faults: dev ## Break a deployment as in production in every known way (hours; fewer: python -m tests.fault.production --help)
	$(VENV)/bin/python -m tests.fault.production

check: dev ## Check lint, format, types and the rules of the code base
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m pytest --quiet tests/rules

wheel: venv ## Build the wheel into dist/
	@rm -rf build dist
	$(VENV)/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

image: ## Build the image ostiary:dev with buildah, podman or docker (another base: make image BASE=IMAGE)
	@deploy/image/build.sh ostiary:dev $(if $(BASE),--build-arg BASE=$(BASE))

image-test: dev .cache/base.tar ## Build the image twice and run every service from it (root; buildah, bubblewrap, debootstrap)
	@OSTIARY_REQUIRE=buildah,bwrap $(VENV)/bin/python -m pytest -s tests/packaging/test_image.py

helm-test: dev tests/interop/bin/helm ## Render the Helm chart with Helm and compare it with kustomize (kubectl; builds Helm once: 15 minutes)
	@OSTIARY_REQUIRE=helm,kubectl $(VENV)/bin/python -m pytest tests/packaging/test_chart.py

tests/interop/bin/helm:
	GOBIN=$(CURDIR)/tests/interop/bin go install -ldflags='-s -w' helm.sh/helm/v4/cmd/helm@v4.3.1

.cache/base.tar: deploy/image/base.sh
	@mkdir -p .cache
	@deploy/image/base.sh $@

upgrade-test: dev ## Upgrade from each earlier release under load and roll back (10 minutes; more: --help)
	$(VENV)/bin/python -m tests.upgrade

interop-tools: dev ## Install the tools of the interoperability tests (apt, PyPI, npm, Go, Maven; asks for no password)
	@tests/interop/tools.sh
	@$(VENV)/bin/python -m tests.applications.install --quick

application-tools: dev ## Install the applications that sign in, each in an environment of its own in ~/.cache
	@$(VENV)/bin/python -m tests.applications.install

applications: application-tools ## Sign in to every application, one at a time, and write tests/applications/README.md
	@$(VENV)/bin/python -m tests.applications

screenshots: dev ## Write a picture of every page, state and mail to screenshots/, light and dark, narrow and wide
	$(VENV)/bin/python -m tests.screenshots screenshots

venv:
	@deploy/local/venv.sh $(VENV) requirements.lock

dev:
	@deploy/local/venv.sh $(VENV) requirements-dev.lock
