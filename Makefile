# Everything that people and CI do, by name. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CLUSTER ?= auto
NAME ?= tender
TOOLS := etcd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl coredns kwok helm
export PYTHONPATH := hack:.

.PHONY: help
help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 22

.PHONY: install
install: $(VENV)/installed ## Make .venv with tender and the tools of its tests in it

$(VENV)/installed: pyproject.toml hack/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c hack/constraints.txt hatchling editables
	$(BIN)/pip install --quiet --disable-pip-version-check -c hack/constraints.txt --no-build-isolation -e '.[dev]'
	touch $@

.PHONY: demo
demo: install ## Bring up a cluster, install Tender and run two frameworks on it
	$(BIN)/python hack/demo up --name $(NAME) --flavour $(CLUSTER)

.PHONY: demo-down
demo-down: ## Take the demo's cluster down
	$(PYTHON) hack/demo down --name $(NAME)

.PHONY: tools
tools: ## Build the programs of the local cluster (cached)
	$(PYTHON) hack/cluster build $(TOOLS)

.PHONY: test
test: lint unit integration e2e ## Run every tier of tests

.PHONY: docs
docs: install ## Build the site of the docs into build/site, warnings being failures
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --conf-dir docs --doctree-dir build/doctrees . build/site

.PHONY: lint
lint: install docs ## Check style, types, layers and the docs
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: unit
unit: install ## Test pure code: no network but loopback, seconds
	$(BIN)/pytest tests/unit tests/cluster

.PHONY: integration
integration: install tools ## Test against a real etcd and API server
	$(BIN)/pytest tests/integration tests/chart

.PHONY: e2e
e2e: install tools ## Test the chart on a cluster with a real node, and what needs three of them
	-$(PYTHON) hack/image build pause busybox tender zookeeper  # ahead of the tests' time limits; where it cannot be, the tests say why
	$(BIN)/pytest tests/e2e

.PHONY: bench
bench: install tools bench-allocation bench-frameworks ## Measure allocation, placement, scale and start-up; figures go to build/bench/
	$(BIN)/python -m tests.bench.placement
	$(BIN)/python -m tests.bench.startup

.PHONY: bench-allocation
bench-allocation: install ## Measure allocation alone, beside its budgets and Mesos' figures
	$(BIN)/python -m tests.bench.allocation

.PHONY: bench-frameworks
bench-frameworks: install tools ## Measure frameworks until they are ready, beside Marathon's figures: FLAGS="--most 5000"
	$(BIN)/python -m tests.bench.frameworks $(FLAGS)

.PHONY: mutate
mutate: install ## Test the tests of the allocator: MODULES="tree quotas", FLAGS=--keep
	$(BIN)/pip install --quiet --disable-pip-version-check -c hack/constraints.txt --no-build-isolation -e '.[dev,mutate]'
	nice -n 10 $(BIN)/python hack/mutation $(FLAGS) $(MODULES)

.PHONY: crds
crds: install ## Generate crds/, the chart's copy and docs/api.md from the models
	$(BIN)/python -m tender.api.crds crds
	cp crds/*.yaml charts/tender/files/crds/
	$(BIN)/python hack/reference

.PHONY: chart-docs
chart-docs: install ## Write the chart's values into its README
	$(BIN)/python hack/chart_readme.py

.PHONY: cli-reference
cli-reference: install ## Write docs/cli.md from the help of the commands
	$(BIN)/python -m tender.cli.reference docs/cli.md

.PHONY: format
format: install ## Format the Python code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: image
image: ## Build Tender's images as archives under build/images/
	$(PYTHON) hack/image build

.PHONY: clean
clean: ## Remove what was made here (the cache of built programs stays)
	rm -rf build $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
