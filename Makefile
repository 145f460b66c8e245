# Everything here works from a fresh clone with nothing but Python 3.11 and its venv.
# PYTHON names another interpreter; ARGS is passed on: make story ARGS=--json

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN = .venv/bin
PY = $(BIN)/python
ARGS ?=
export PYTHONNOUSERSITE = 1
export PYTHONUTF8 = 1
# Some containers forbid to keep compiled sources: then every program that a test starts compiles a thousand files anew.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONDONTWRITEBYTECODE

.PHONY: help run story test check bench faults bootstrap dev format translations clean
.DEFAULT_GOAL = help

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	printf '  make %-13s %s\n' "$$name" "$$text"; done

run: bootstrap ## the demo shop in the browser at http://127.0.0.1:8000 (DEMO=0: your own installation)
	@if [ "$(DEMO)" = 0 ]; then exec $(BIN)/recoup run $(ARGS); else exec $(BIN)/recoup demo $(ARGS); fi

story: bootstrap ## the main job in the terminal: order, no payment, mail, click, payment, report
	@exec $(BIN)/recoup story $(ARGS)

test: dev ## everything that must hold, on PostgreSQL 18, browser tests included
	@$(PY) -m tools.ensure_chromium
	@$(PY) -m pytest -n 3 $(ARGS)

check: dev ## what CI runs: style, types, layers, migrations, translations, tests, database tests on 16 too
	@$(PY) -m tools.check

bench: dev ## one JSON line a figure, each against its twin (ONLY=name runs one)
	@$(PY) -m tools.bench $(ONLY)

faults: dev ## kills, races and random worlds in full size: many minutes
	@RECOUP_FAULTS=full $(PY) -m pytest -m faults $(ARGS)

bootstrap: ## make .venv and the front end if they are not up to date
	@"$(PYTHON)" tools/bootstrap.py run

dev: ## the same, with what tests and checks need
	@"$(PYTHON)" tools/bootstrap.py dev

format: dev ## put the sources into shape
	@$(PY) -m ruff check --fix-only --quiet . && $(PY) -m ruff format --quiet .

translations: dev ## bring the .po files up to the sources, and say what is missing
	@$(PY) -m tools.translations update && $(PY) -m tools.translations check

clean: ## remove what was built; the data in var/ stays
	rm -rf .venv frontend/node_modules recoup/web/static/build .mypy_cache .ruff_cache .pytest_cache .hypothesis
