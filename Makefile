# Every verb, for people and for CI. `make help` lists them.

PYTHON ?= python3
SAM_VERSION := 1.170.0
FUNCTION ?= ReserveStock
STAGE ?= default
# Targets' arguments to `eachonce run`: a day of real orders, a fifth of the messages twice, everything in any order.
RUN ?= --limit 143 --duplicates 0.2 --shuffle

# To `eachonce invoke`, beside the function: say, `--skip-pull-image`.
INVOKE ?=

# And to `eachonce simulate`: three days of orders four times over, in which every call of the layer is to meet every fault.
SIMULATE ?= --limit 405 --seeds 4 --cover
SOAK ?= --seed 100 --seeds 20 --cover

# And to the fuzz of the consumers.
FUZZ ?= --records 50000 --seed 1

# The modules of the layer that are changed; all that tests/mutants.toml lists, if none is named.
MODULES ?=

BIN := .venv/bin
SAM := .venv-sam/bin/sam
# Nothing is reported to anybody.
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help setup run serve test check mutants certify simulate soak fuzz build invoke deploy export bench clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## make the virtual environment that the other verbs need

.venv/ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Eachonce needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.13 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# Nothing else needs it.
.venv/mutants: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,mutants]'
	@touch $@

# aws-sam-cli pins its own boto3, so it lives apart.
.venv-sam/ready: Makefile
	$(PYTHON) -m venv .venv-sam
	.venv-sam/bin/python -m pip install --quiet --disable-pip-version-check aws-sam-cli==$(SAM_VERSION)
	@touch $@

run: .venv/ready ## a day of real orders through the whole shop, reconciled to the penny
	$(BIN)/eachonce run $(RUN)

serve: .venv/ready ## keep the local cloud running on port 4566
	$(BIN)/eachonce serve

test: .venv/ready ## all tests, with the layer's coverage
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --cov --cov-report=term --cov-fail-under=95

check: .venv/ready .venv-sam/ready ## lint, types, and the template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy layers/eachonce/eachonce layers/contracts/contracts eachonce_workbench shop
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate
	$(SAM) validate --lint

mutants: .venv/mutants ## the layer with one small fault after the other: does a test notice? MODULES="plan ..." for some
	$(BIN)/python -m tests.mutants $(MODULES)

certify: .venv/ready ## which of the shop's events depend on each other's order, and the proof that none does
	$(BIN)/eachonce certify

simulate: .venv/ready ## 20,000 deliveries and more, everything goes wrong, and every promise holds
	$(BIN)/eachonce simulate $(SIMULATE)

soak: .venv/ready ## the same for the whole month and for many seeds: about half an hour
	$(BIN)/eachonce simulate $(SOAK)

fuzz: .venv/ready ## 50,000 hostile messages for the consumers: FUZZ="--records N --seed S"
	@$(BIN)/python -m tests.shop.fuzz $(FUZZ)

build: .venv-sam/ready ## what is deployed, in .aws-sam/build
	$(SAM) build
	@cd .aws-sam/build/EachonceLayer/python && $(PYTHON) -I -S -c 'import sys; sys.path.insert(0, "."); import eachonce'
	@echo "the layer imports with nothing but itself"

invoke: .venv/ready .venv-sam/ready ## run FUNCTION in a container on a sample input, against `make serve`
	@$(BIN)/eachonce invoke $(FUNCTION) $(INVOKE)

deploy: build ## deploy the stage STAGE to the AWS account of your credentials
	$(SAM) deploy --config-env $(STAGE)

export: .venv/ready ## write what is derived from the contracts: docs/events and events
	$(BIN)/eachonce export

clean: ## remove everything that the other verbs made
	rm -rf .venv .venv-sam .aws-sam .run .mutants .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
