# make demo   install, then train and compare VAE and D-VAE on Circles (about 8 minutes on 2 cores, installation included)
# make test   install with the development tools, then lint, types, import layers, all tests, and the built wheel
# make check  the quick part of make test: lint, types, import layers
# make test-torch  the tests that need PyTorch, Lightning or minutes of scikit-learn's checks, in .venv-torch (3 GB)
# make docs   install the site's tools into .venv-docs and build it strictly into site/ (runs the tutorials; some 15 minutes)
# make wheel  build the wheel and work with it outside of the source tree
# make fuzz   the whole corpus of damaged files, bad values and bad command lines, and the races (about 20 minutes)
# make bench  the benchmarks; results go to benchmarks/results/

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One log for everything the installer says; shown only when it fails.
QUIETLY = > $(VENV)/install.log 2>&1 || { cat $(VENV)/install.log; echo "installation failed; the log above is $(VENV)/install.log" >&2; exit 1; }

.PHONY: demo test test-torch check docs wheel fuzz bench clean
.DELETE_ON_ERROR:

# PyTorch is named in every install, or another package would bring its build for CUDA
TORCH := torch==2.13.0
TORCH_VENV := .venv-torch

$(TORCH_VENV)/.installed: pyproject.toml Makefile
	@echo "installing $(TORCH), Lightning and factorgrid into $(TORCH_VENV) (minutes, once)"
	@$(PYTHON) -m venv $(TORCH_VENV)
	@$(TORCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH_INDEX) $(TORCH) lightning torchmetrics -e '.[dev,fast]'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("factorgrid needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.12 ..." % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	@echo "installing factorgrid into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e . $(QUIETLY)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	@echo "installing factorgrid and its development tools into $(VENV) (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,fast]' $(QUIETLY)
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed
	@$(BIN)/factorgrid demo

check: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: check
	@$(BIN)/python -m pytest
	@.ci/wheel $(BIN)/python

test-torch: $(TORCH_VENV)/.installed
	@FACTORGRID_ALL_CHECKS=1 $(TORCH_VENV)/bin/python -m pytest tests/integrations tests/test_any_encoder.py

wheel: $(VENV)/.installed-dev
	@.ci/wheel $(BIN)/python

fuzz: $(VENV)/.installed-dev
	@$(BIN)/python tests/fuzz/races.py && $(BIN)/python tests/fuzz/fuzz.py

bench: $(VENV)/.installed-dev
	@$(BIN)/python benchmarks/training.py

.venv-docs/.installed: pyproject.toml
	@$(PYTHON) -m venv .venv-docs
	@echo "installing factorgrid and the site's tools into .venv-docs (a minute or two, once)"
	@.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

docs: .venv-docs/.installed
	@.venv-docs/bin/mkdocs build --strict

clean:
	rm -rf $(VENV) $(TORCH_VENV) .venv-docs site build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .cache
