# One list of commands; `make help` explains them. Nothing is installed outside .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
SAMPLE := data/sample/playbook.toml

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test check lab notebooks example lint types unit nbval fresh wheel calibration clean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(READY) ## run the playbook on the sample programme and print where the report is
	$(BIN)/csimprove run $(SAMPLE)

test: $(READY) lint types unit fresh nbval wheel ## every check there is, as CI runs them
	@echo "make test: all checks passed"

check: $(READY) lint types ## lint, types and unit tests without the slow ones, under a minute
	$(BIN)/pytest -q -n 2 -m "not slow"

lab: $(READY) ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=.

notebooks: $(READY) ## execute the committed notebooks again on the sample programme
	$(BIN)/python tools/refresh_notebooks.py

example: $(READY) ## make the example report of reports/example/ and the README's pictures anew
	$(BIN)/python tools/make_example.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -n 2

nbval: $(READY)
	$(BIN)/pytest -q -o addopts= -W default --nbval --nbval-current-env -n 2 --dist loadfile notebooks

fresh: $(READY)
	$(BIN)/python tools/refresh_notebooks.py --check
	$(BIN)/python tools/make_example.py --check

wheel: $(READY)
	$(BIN)/python tools/check_wheel.py

calibration: $(READY) ## simulate pilots of known truth and print how often the verdict is right, five minutes
	$(BIN)/python benchmarks/pilot_calibration.py

clean: ## remove .venv, caches and build results (never reports or data)
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Set-up runs again only when what it installs has changed.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "csimprove needs Python 3.11, 3.12 or 3.13; name one with: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up $(VENV) (once, a few minutes) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)
