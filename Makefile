# `make demo` shows the program at work; `make test` sets up and tests. Nothing else is
# needed but Python 3.11 and make (browser tests also want Debian's chromium).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test check format lint types templates bench audit requirements clean

demo: $(VENV)/.product
	$(BIN)/flask --app wsgi demo $(ARGS)

test: $(READY)
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: $(READY) lint types templates test

format: $(READY)
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .
	$(BIN)/djlint --quiet --reformat templates || true

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

# Print documents and mail keep to what xhtml2pdf and mail readers understand.
TEMPLATES = $(shell find templates -name '*.html' -not -path 'templates/print/*' -not -path 'templates/mail/*')
templates: $(READY)
	@$(BIN)/djlint --quiet --check $(TEMPLATES)
	@$(BIN)/djlint --quiet --lint $(TEMPLATES)

bench: $(VENV)/.bench
	$(BIN)/python -m bench $(ARGS)

audit: $(READY)
	$(BIN)/pip-audit --require-hashes --disable-pip -r requirements.txt

requirements: $(READY)
	$(BIN)/python -m pip install --quiet uv
	for each in requirements requirements-dev requirements-bench; do \
		$(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-strip-extras \
			--no-emit-index-url --no-emit-find-links \
			--custom-compile-command "make requirements" $$each.in -o $$each.txt; \
	done

clean:
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

# The product's packages; tests and checks need the second file as well.
$(VENV)/.product: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $@

$(READY): $(VENV)/.product requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt
	touch $@

# Peers and public lists of the benchmarks: heavy, and of no use to the product.
$(VENV)/.bench: $(READY) requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt -r requirements-bench.txt
	touch $@
