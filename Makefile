# Everything a newcomer needs; `make` alone prints this help.
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.ready
# Without compiled files every process would read a thousand sources anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

help: ## show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-compile -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

setup: $(STAMP) ## make the virtual environment from the lock file

demo: $(STAMP) ## five partners' files become text messages, on this machine, in a minute
	@$(VENV)/bin/vouchers demo

test: $(STAMP) ## the whole test suite
	@$(PY) -m pytest -q -n 2 --dist loadfile

check: $(STAMP) ## style, types, import rules and house rules
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/interrogate -q vouchers workers schemas config
	$(PY) -m pytest -q tests/test_house_rules.py

run: $(STAMP) ## everything in one process: web, watcher, workers, clock, simulator for texts
	$(VENV)/bin/vouchers run

bench: $(STAMP) ## residents a second, end to end, side by side
	$(PY) -m tests.benchmarks.end_to_end

lock: ## write requirements.lock anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements-runtime.lock

clean: ## forget the environment and everything under var/
	rm -rf $(VENV) var .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.PHONY: help setup demo test check run bench lock clean
