# Two commands matter: `make run` and `make test`. Each needs only Python >= 3.11 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8080

.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-test: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@ $(VENV)/installed

run: $(VENV)/installed ## Start the service on 127.0.0.1:8080, sign three sample orders, keep serving
	$(BIN)/coverage-hooks demo --port $(PORT)

serve: $(VENV)/installed ## Start the service alone
	$(BIN)/coverage-hooks serve --port $(PORT)

test: $(VENV)/installed-test ## Run all tests
	$(BIN)/python -m pytest -n auto --dist worksteal -q

lint: $(VENV)/installed-test ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

policies: $(VENV)/installed-test ## Check the policies: lint, cases, coverage by criterion, clauses, comparison
	$(BIN)/coverage-hooks policy lint
	$(BIN)/coverage-hooks policy test
	$(BIN)/coverage-hooks policy coverage
	$(BIN)/coverage-hooks policy clauses --summary
	$(BIN)/coverage-hooks policy compare

bench: $(VENV)/installed-test ## Measure everything beside its reference, write docs/performance/
	$(BIN)/python -m tests.benchmarks.table --write

bench-short: $(VENV)/installed-test ## The same in a minute or two, printed only
	$(BIN)/python -m tests.benchmarks.order_sign --rounds 3
	$(BIN)/python -m tests.benchmarks.table --short --only policies --only fetching --only cold-start

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

.PHONY: help run serve test lint policies bench bench-short clean
