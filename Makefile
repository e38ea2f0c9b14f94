# Every target installs what it needs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The folder of Stripe's OpenAPI document (spec3.json) and its companions.
SPEC ?=

.PHONY: demo test torture check facts generate docs bench matrix clean

demo: $(VENV)/.demo
	$(BIN)/python -m pinstripe demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

torture: $(VENV)/.test
	PINSTRIPE_TORTURE=1 $(BIN)/python -m pytest -m torture -v --durations=0

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m tools.vocabulary
	$(BIN)/mypy src/pinstripe codegen
	$(BIN)/mypy tests examples benchmarks tools
	$(BIN)/pyright
	$(BIN)/python -m mypy.stubtest pinstripe --mypy-config-file pyproject.toml --concise \
		--allowlist stubs/allowlist.txt --allowlist stubs/services.allowlist.txt
	$(BIN)/python -m codegen.facts --check $(if $(SPEC),--spec $(SPEC))
	$(BIN)/python -m codegen --check
	$(BIN)/python -m codegen.public_names --check
	$(BIN)/python -m codegen.check_wording
	$(BIN)/python -m codegen.coverage --check

facts: $(VENV)/.codegen
	$(BIN)/python -m codegen.facts $(if $(SPEC),--spec $(SPEC))

generate: $(VENV)/.codegen
	$(BIN)/python -m codegen
	$(BIN)/python -m codegen.public_names

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

# The fast part of the suite, with the lowest and the newest dependencies on each Python. PYTHONS="3.10 3.13" selects some.
matrix: $(VENV)/.test
	$(BIN)/python -m tools.matrix $(PYTHONS)

bench: $(VENV)/.test
	$(BIN)/python -m benchmarks

$(VENV)/.pip:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[emulator]'
	touch $@

$(VENV)/.codegen $(VENV)/.test $(VENV)/.check $(VENV)/.docs: $(VENV)/.%: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --group $*
	touch $@

clean:
	rm -rf $(VENV) .matrix site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
