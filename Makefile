# What a newcomer types: `make demo` and `make test`. Each sets up .venv by itself; nothing but python3 (3.11 or newer) is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Tests on a cluster all run in one worker; the others have the rest.
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint format bench docs clean

help: ## these lines
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) || { echo "python3 can't make a virtual environment: on Debian and Ubuntu install python3-venv"; rm -rf $(VENV); exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@echo "installing what tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

$(VENV)/.bench: $(VENV)/.test
	@echo "installing what benchmarks need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

$(VENV)/.docs: $(VENV)/.demo
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

setup: $(VENV)/.test ## make .venv with everything for development

demo: $(VENV)/.demo ## the whole story on a real OpenSearch; LOG=/var/log/auth.log for your own log
	@$(BIN)/provisioner demo $(if $(LOG),--log '$(LOG)')

test: $(VENV)/.test ## all tests, on a real OpenSearch
	@$(BIN)/python -m pytest -m 'not long' -n $(WORKERS) $(ARGS)

test-long: $(VENV)/.test ## campaigns that take minutes: faults, fuzzing, soak
	@$(BIN)/python -m pytest -m long $(ARGS)

lint: $(VENV)/.test ## ruff and mypy
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: $(VENV)/.test ## mend what ruff can mend
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: $(VENV)/.bench ## all benchmarks; each prints its figures as one JSON line
	@for file in benchmarks/*.py; do [ -e "$$file" ] || continue; $(BIN)/python "$$file" || exit 1; done

docs: $(VENV)/.docs ## the user guide as HTML in docs/_build
	@$(BIN)/sphinx-build -q -W -b html docs docs/_build

clean: ## remove .venv and caches of this checkout
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache docs/_build
