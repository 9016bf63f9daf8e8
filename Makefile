# Every verb, for people and for CI. `make help` lists them.

PYTHON ?= python3
FUNCTION ?= ReserveStock
STAGE ?= default
# Targets' arguments to `eachonce run`: a day of real orders, a fifth of the messages twice, everything in any order.
RUN ?= --limit 143 --duplicates 0.2 --shuffle

# To `eachonce invoke`, beside the function: say, `--skip-pull-image`.
INVOKE ?=
# A container of this machine's own processors needs no emulation.
MACHINE := $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)

# And to `eachonce simulate`: half a day of orders three times over, in which every call of the layer is to meet every fault.
SIMULATE ?= --limit 90 --seeds 3 --cover
SOAK ?= --seed 100 --seeds 20 --cover

# Where the local cloud listens, and what else `eachonce serve` is told.
PORT ?= 4566
SERVE ?=

# To the bench: `--short` counts calls and write units alone.
BENCH ?=

# And to the fuzz of the consumers.
FUZZ ?= --records 50000 --seed 1

# The wrong layers that are simulated; all of tests/simulation/wrong_layers.toml, if none is named.
LAYERS ?=

# The modules of the layer that are changed; all that tests/mutants.toml lists, if none is named.
MODULES ?=

# Lambda's, for which layers are built: as template.yaml has them, in the words of wheels.
PYTHONS ?= 3.11 3.12 3.13 3.14
PROCESSORS ?= aarch64 x86_64

BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --dist worksteal
# The tests that know the layer alone: by them its coverage is measured, which would make all others take twice as long,
# and those, too, that repeat an event's way under every fault.
LAYERS_TESTS = $(filter-out %every_call.py %lost_answers.py, $(shell grep -L eachonce_workbench tests/unit/test_*.py))
SAM := .venv-sam/bin/sam
# It asks nobody for further rules, and for no guide to those that it has.
CHECKOV := .venv-checkov/bin/checkov --framework cloudformation --skip-download --quiet --compact
# Nothing is reported to anybody.
export SAM_CLI_TELEMETRY := 0

# The code of the folder that make stands in, and the wheels that its requirements.txt names, into the folder $(1). What was
# unpacked once is kept, for as long as the requirements are the same.
WHEELS := $(dir $(abspath $(lastword $(MAKEFILE_LIST)))).aws-sam/wheels
define unpack
	set -e; mkdir -p "$(1)"; cp -R . "$(1)"; \
	if [ -f requirements.txt ]; then \
	  wheels="$(WHEELS)/$$(echo "$(PYTHONS) $(PROCESSORS)" | cat - requirements.txt | cksum | tr ' ' -)"; \
	  if [ ! -d "$$wheels" ]; then \
	    mkdir -p "$(WHEELS)"; part=$$(mktemp -d "$(WHEELS)/part.XXXXXX"); chmod 755 "$$part"; \
	    for python in $(PYTHONS); do for processor in $(PROCESSORS); do \
	      $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary :all: \
	        --implementation cp --python-version $$python --platform manylinux2014_$$processor \
	        --target .wheels --requirement requirements.txt; \
	      cp -R .wheels/. "$$part"; rm -rf .wheels; \
	    done; done; \
	    [ -d "$$wheels" ] || mv "$$part" "$$wheels"; \
	  fi; \
	  cp -R "$$wheels/." "$(1)"; \
	fi; \
	cd "$(1)"; rm -rf bin build *.egg-info; find . -name __pycache__ -type d -prune -exec rm -rf {} +
endef

# A virtual environment $(1) with what the lock $(2) pins; by uv where it is there, and else by pip: today's, since Python's
# own takes minutes to choose wheels. Only what is imported is ever compiled.
define environment
	if command -v uv >/dev/null; then uv venv --quiet --allow-existing --python $(PYTHON) --seed $(1); else $(PYTHON) -m venv --upgrade-deps $(1); fi; \
	$(call install,$(1),--no-deps --require-hashes --requirement $(2))
endef

# Both show how far they are.
define install
	if command -v uv >/dev/null; then uv pip install --python $(1)/bin/python $(2); \
	else $(1)/bin/python -m pip install --no-compile --disable-pip-version-check $(2); fi
endef

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-package eachonce

.DEFAULT_GOAL := help
.PHONY: help setup lock wheels run serve test test-browser portraits check mutants races stores wrong-layers certify simulate soak fuzz build invoke deploy docs export bench clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## make the virtual environment that the other verbs need

.venv/ready: locks/dev.txt pyproject.toml layers/eachonce/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Eachonce needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which: make PYTHON=python3.13 ...") if sys.version_info < (3, 11) else None'
	@$(call environment,.venv,locks/dev.txt)
	@$(call install,.venv,--no-deps --no-build-isolation --editable layers/eachonce --editable .)
	@touch $@

# Nothing else needs it.
.venv/mutants: .venv/ready locks/mutants.txt
	@$(call install,.venv,--no-deps --require-hashes --requirement locks/mutants.txt)
	@touch $@

# Nor this.
.venv/docs: .venv/ready locks/docs.txt
	@$(call install,.venv,--no-deps --require-hashes --requirement locks/docs.txt)
	@touch $@

# Nor this: it drives a browser that is there already.
.venv/browser: .venv/ready locks/browser.txt
	@$(call install,.venv,--no-deps --require-hashes --requirement locks/browser.txt)
	@touch $@

# aws-sam-cli pins its own boto3, so it lives apart.
.venv-sam/ready: locks/sam.txt
	@$(call environment,.venv-sam,locks/sam.txt)
	@touch $@

# So does checkov, for as many reasons.
.venv-checkov/ready: locks/checkov.txt
	@$(call environment,.venv-checkov,locks/checkov.txt)
	@touch $@

# The other local cloud lives apart, too: nothing of it is ever imported here.
.venv-ministack/ready: locks/ministack.txt
	@$(call environment,.venv-ministack,locks/ministack.txt)
	@touch $@

lock: ## pin everything anew, by uv: locks/ and the layer's requirements.txt
	$(LOCK) --extra dev pyproject.toml --output-file locks/dev.txt
	$(LOCK) --extra dev --extra mutants pyproject.toml --output-file locks/mutants.txt
	$(LOCK) --extra dev --extra browser --constraint locks/dev.txt pyproject.toml --output-file locks/browser.txt
	$(LOCK) --extra dev --extra docs --constraint locks/dev.txt pyproject.toml --output-file locks/docs.txt
	$(LOCK) locks/sam.in --output-file locks/sam.txt
	$(LOCK) locks/checkov.in --output-file locks/checkov.txt
	$(LOCK) locks/ministack.in --output-file locks/ministack.txt
	$(LOCK) layers/eachonce/requirements.in --output-file layers/eachonce/requirements.txt
	$(LOCK) layers/cryptography/requirements.in --output-file layers/cryptography/requirements.txt

wheels: .venv/ready ## the layer and the tool as wheels, in dist
	@rm -rf build layers/eachonce/build
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist layers/eachonce .
	@ls dist/*.whl

run: .venv/ready ## a day of real orders through the whole shop, reconciled to the penny
	$(BIN)/eachonce run $(RUN)

serve: .venv/ready ## keep the local cloud running on port PORT, 4566 by default: SERVE="--data DIR" keeps what it holds
	$(BIN)/eachonce serve --port $(PORT) $(SERVE)

test: .venv/ready ## all tests, with the layer's coverage
	$(PYTEST) --numprocesses 2 $(LAYERS_TESTS) --cov --cov-report=term --cov-fail-under=95
	$(PYTEST) --numprocesses 3 $(addprefix --ignore=,$(LAYERS_TESTS))

test-browser: .venv/browser tests/browser/node_modules/.package-lock.json ## the console, by a person in Debian's Chromium, which has to be there
	@$(BIN)/python -m pytest -m browser tests/browser $(TESTS)

portraits: .venv/browser ## screenshots of the console for docs/console, in Debian's Chromium
	@PYTHONPATH=layers/contracts $(BIN)/python -m tests.shop.portraits

tests/browser/node_modules/.package-lock.json: tests/browser/package-lock.json
	@npm ci --prefix tests/browser --no-audit --no-fund --silent
	@touch $@

check: .venv/ready .venv-sam/ready .venv-checkov/ready ## lint, types, and the template
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy layers/eachonce/eachonce layers/contracts/contracts eachonce_workbench shop
	$(BIN)/cfn-lint template.yaml
	$(BIN)/eachonce check
	$(SAM) validate
	$(SAM) validate --lint
	$(CHECKOV) --file template.yaml

mutants: .venv/mutants ## the layer with one small fault after the other: does a test notice? MODULES="plan ..." for some
	$(BIN)/python -m tests.mutants $(MODULES)

races: .venv/ready ## the layer's threads, stopped before each statement and before each two: two minutes; RACES="SCENE ..." for some
	@$(BIN)/python -m tests.races $(RACES)

stores: .venv/ready .venv-ministack/ready ## the local cloud beside another one: same calls, same answers, or AWS's word for the difference
	@$(BIN)/python -m tests.stores --program .venv-ministack/bin/ministack

wrong-layers: .venv/ready ## a simulation of the layer with one thing wrong, a hundred times over: which promise breaks? LAYERS="'a name' ..." for some
	PYTHONPATH=layers/contracts $(BIN)/python -m tests.shop.wrong_layers $(LAYERS)

certify: .venv/ready ## which of the shop's events depend on each other's order, and the proof that none does
	$(BIN)/eachonce certify

simulate: .venv/ready ## 20,000 deliveries and more, everything goes wrong, and every promise holds
	$(BIN)/eachonce simulate $(SIMULATE)

soak: .venv/ready ## the same for the whole month and for many seeds: about half an hour
	$(BIN)/eachonce simulate $(SOAK)

fuzz: .venv/ready ## 50,000 hostile messages for the consumers: FUZZ="--records N --seed S"
	@$(BIN)/python -m tests.shop.fuzz $(FUZZ)

bench: .venv/ready ## what an event costs, side by side: a quarter of an hour; BENCH=--short for the counts alone
	@$(BIN)/python -m bench $(BENCH)

build: .venv-sam/ready ## what is deployed, in .aws-sam/build
	$(SAM) build
	@cd .aws-sam/build/EachonceLayer/python && $(PYTHON) -I -S -c 'import sys; sys.path.insert(0, "."); import eachonce'
	@echo "the layer imports with nothing but itself"

# `sam build` calls these, each in a copy of a layer's or a function's folder, for template.yaml says `BuildMethod: makefile`.
# Wheels are chosen for Lambda's Pythons and processors, so neither has to be here. What they compiled is named after
# both, and lies side by side: a layer serves every runtime and architecture that its template admits.
# What cryptography compiled is called alike for every processor, so that each has a folder of its own in its layer.
build-CryptographyLayer:
	@set -e; $(foreach PROCESSORS,$(PROCESSORS),($(call unpack,$(ARTIFACTS_DIR)/python/cryptography-$(PROCESSORS)));)

build-%Layer:
	@$(call unpack,$(ARTIFACTS_DIR)/python)

build-%:
	@$(call unpack,$(ARTIFACTS_DIR))

invoke: .venv/ready .venv-sam/ready ## run FUNCTION in a container on a sample input, against `make serve`
	@$(BIN)/eachonce invoke $(FUNCTION) --parameter Architecture=$(MACHINE) $(INVOKE)

deploy: build ## deploy the stage STAGE to the AWS account of your credentials
	$(SAM) deploy --config-env $(STAGE)

docs: .venv/docs ## these pages as a site, in site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

export: .venv/ready ## write what is derived from the contracts: docs/events and events
	$(BIN)/eachonce export

clean: ## remove everything that the other verbs made
	rm -rf .venv .venv-sam .venv-checkov .venv-ministack .aws-sam .run .mutants .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist site *.egg-info layers/eachonce/build layers/eachonce/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
