# Everything a newcomer needs: `make serve` ends at a working chat page, `make test` at passing tests.
# Both bring their own tools and need only Python 3.11+, a C/C++ compiler and a package registry.

PORT ?= 8080
TESTS ?= tests/bot tests/connectors tests/docs tests/examples tests/migrations tests/scenarios
FAULTS ?= 200
UV_VERSION := 0.13.9
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --frozen --no-sync
TORCH_PYTHON := .venv-torch/bin/python

export UV_PYTHON_DOWNLOADS = never
export UV_COMPILE_BYTECODE = 1

.DEFAULT_GOAL := help
.PHONY: help serve install models test-models example test install-dev lint format docs pytest faults lock test-sentence-transformers test-postgres test-ray security audit sbom fuzz attacks bench bench-engine rebuild-llama clean

CASES ?= 100000

help:  ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-28s %s\n", $$1, $$2}'

serve: install models example  ## set everything up and open a working chat page on port 8080 (PORT=… for another)
	$(RUN) frontdesk serve --port $(PORT)

install: | $(UV)  ## install what serving needs (EXTRAS="postgres telemetry" for more)
	@echo "Installing. The first time this compiles llama.cpp for this machine: about 5 minutes on 2 cores."
	$(UV) sync --frozen --no-default-groups --inexact $(addprefix --extra ,documents email int8 rasa slack wecom $(EXTRAS))

models:  ## bring the local models that are best for this machine (about 830 MB, once; 1.7 GB where no hub is reached)
	$(RUN) frontdesk models pull

test-models:  ## bring the models that the tests ask: the small embedding model, whatever this machine could run
	FRONTDESK_MODELS__EMBEDDING=multilingual-e5-small-zh-en-q4_0 $(RUN) frontdesk models pull

example:  ## load the example FAQ, unless there is one already
	$(RUN) frontdesk faq import examples/shop-zh/faq.csv --kb shop --if-empty

test: install-dev lint docs security test-models pytest test-ray test-sentence-transformers  ## run every check, as CI does

install-dev: | $(UV)  ## install what developing needs as well
	@echo "Installing. The first time this compiles llama.cpp for this machine: about 5 minutes on 2 cores."
	$(UV) sync --frozen

lint:  ## style and types
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

format:  ## put the style right
	$(RUN) ruff format .
	$(RUN) ruff check --fix .

docs: | $(UV)  ## the documentation as a site, in build/docs; a dead link or a missing page stops it
	$(UV) sync --frozen --inexact --only-group docs
	NO_MKDOCS_2_WARNING=1 $(RUN) mkdocs build --quiet

pytest:  ## all tests but those of the sentence-transformers extra and of a Ray cluster
	$(RUN) pytest -n 2 --dist loadgroup --ignore tests/extras --ignore tests/scenarios/ray

test-ray:  ## a Ray cluster of two nodes, with the machine to itself: its parts give each other few seconds to start
	.venv/bin/python -m pytest -q tests/scenarios/ray

test-postgres:  ## the tests that need a database, on PostgreSQL instead of SQLite (TESTS=… for some of them)
	$(RUN) pytest -n 2 --dist loadgroup --postgres $(TESTS)

faults: install-dev test-models  ## kills, full disks, leaving customers, in full: FAULTS=200 tries each (hours)
	FAULTS=$(FAULTS) $(RUN) pytest -q --timeout 0 tests/scenarios/faults

test-sentence-transformers: $(TORCH_PYTHON)  ## the extra, in an environment of its own (it brings torch)
	$(TORCH_PYTHON) -m pytest -q --noconftest tests/extras

$(TORCH_PYTHON):
	python3 -m venv .venv-torch
	.venv-torch/bin/pip install -q torch==2.13.0
	.venv-torch/bin/pip install -q --no-deps --require-hashes -r tests/extras/requirements.txt

lock: | $(UV)  ## pin every package anew, by hash: uv.lock and tests/extras/requirements.txt (all but torch itself)
	$(UV) lock --upgrade
	echo "torch; python_version < '3'" | $(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--overrides /dev/stdin --custom-compile-command "make lock" tests/extras/requirements.in -o tests/extras/requirements.txt

security: | $(UV)  ## look for dangerous code, with bandit
	$(UV) sync --frozen --inexact --no-default-groups --group security
	$(RUN) bandit -q -c pyproject.toml -r bot knowledge connectors migrations

audit: security  ## ask PyPI for known vulnerabilities of what is installed; needs PyPI itself, not a mirror
	$(RUN) pip-audit --strict --skip-editable --progress-spinner off

sbom: security  ## write what is installed, as CycloneDX, to sbom.json
	$(RUN) cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --of JSON -o sbom.json .venv/bin/python

fuzz: install-dev test-models  ## make up requests, files and messages: CASES=100000 of them, for a night
	FUZZ_CASES=$(CASES) $(RUN) pytest -q -o timeout=0 tests/fuzz

attacks: install-dev test-models  ## put every attack text to the real model; a sample of them is in `make test`
	ATTACKS=all $(RUN) pytest -q -o timeout=0 tests/bot/attacks

bench: install-dev models  ## every benchmark; figures go to benchmarks/results/
	$(RUN) python -m benchmarks.search
	$(RUN) python -m benchmarks.serving
	$(RUN) python -m benchmarks.load

bench-engine: models | $(UV)  ## the engine beside llama.cpp's own servers; hours, or see benchmarks/engine.py for less
	$(UV) sync --frozen --group bench
	$(RUN) python -m benchmarks.engine

rebuild-llama: | $(UV)  ## compile llama.cpp again, for this machine's processor
	$(UV) cache clean llama-cpp-python
	$(UV) sync --frozen --inexact --no-default-groups --reinstall-package llama-cpp-python

clean:  ## delete environments and caches, not data
	rm -rf .venv .venv-torch .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/pip install -q uv==$(UV_VERSION)
