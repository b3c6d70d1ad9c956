# Each target runs plain commands that the README also gives, for Windows and for whoever prefers them.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-all test-fast check bench month soak screenshots graph golden help

help:  ## What there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: .venv/.run  ## Serve on http://127.0.0.1:8000 (DEMO=1: with the demo club)
	@DEMO=$(DEMO) $(BIN)/python app.py

test: .venv/.dev  ## The test suite: all of it on SQLite, what PostgreSQL may do otherwise on both
	$(BIN)/python -m pytest -n auto --dist worksteal

test-all: .venv/.dev  ## The test suite, everything that touches a database on both
	$(BIN)/python -m pytest -n auto --dist worksteal --databases every --durations 25

test-fast: .venv/.dev  ## For the inner loop: on SQLite, without letters word for word, without most stories and processes
	$(BIN)/python -m pytest -n auto --dist worksteal --databases sqlite -m "not slow and not browser and (postgres or not world)"

check: .venv/.dev  ## Format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/.dev  ## Speed, each figure beside its reference (DATABASE=postgresql: on a server of its own)
	$(BIN)/python -m benchmarks $(DATABASE:%=--database %)

month: .venv/.dev  ## A club of 100 lives through a month, then an audit (SEED=1 MEMBERS=100 DAYS=35 DATABASE=sqlite)
	$(BIN)/python -m tests.month $(if $(SEED),--seed $(SEED)) $(if $(MEMBERS),--members $(MEMBERS)) $(if $(DAYS),--days $(DAYS)) $(DATABASE:%=--database %)

soak: .venv/.dev  ## Letters under random faults of mail server and line (SECONDS=600 SEED=0)
	$(BIN)/python -m tests.faults $(or $(SECONDS),600) $(or $(SEED),0)

screenshots: .venv/.dev  ## Every page in both languages, light and dark, phone and desktop, with what axe says
	$(BIN)/python -m tests.browser.screenshots

golden: .venv/.dev  ## Write the golden letters and the page of workflows, to be read before they are committed
	GOLDEN=write $(BIN)/python -m pytest -n auto --databases sqlite tests/mailers/test_golden.py tests/engine/test_diagram.py

graph: .venv/.dev  ## Draw the packages into docs/packages.svg
	$(BIN)/python -m tests.house.graph

.venv/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Jiuniu needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt
	@$(BIN)/python -m pip uninstall --quiet --yes setuptools 2>&1 | grep -v 'not installed' || true  # 9 MB that nothing here needs
	@touch $@

.venv/.dev: .venv/.run requirements-dev.txt requirements-postgresql.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	@touch $@
