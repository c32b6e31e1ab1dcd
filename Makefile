# Every target makes .venv by itself, with plain python3 and pip, when it is missing or older than the locks.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: install demo test soak lint bench lock clean

install: .venv/installed

demo: .venv/installed
	$(BIN)/nhip demo --keep demo --no-serve

test: .venv/dev-installed
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not soak"

soak: .venv/dev-installed
	$(BIN)/python -m pytest -m soak

lint: .venv/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev-installed
	$(BIN)/python -m benchmarks

# Needs uv; the locks carry hashes and name no index.
lock:
	for group in "" -dev; do \
	  uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	    pyproject.toml --group build $${group:+--group dev} -o requirements$$group.lock || exit 1; done

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Nhip Doan needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/python requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	touch $@

.venv/dev-installed: .venv/installed requirements-dev.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@
