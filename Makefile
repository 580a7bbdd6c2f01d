# SPDX-License-Identifier: Apache-2.0
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SPEC   := examples/compute_node/payload.toml
OUT    := build/compute_node
JOBS   ?= 2
SETUP_MB := 1600
HIL_RUNS := hil-pty hil-tcp hil-rfc2217

.DEFAULT_GOAL := help
.PHONY: help setup demo flash-demo campaign test test-base hil $(HIL_RUNS) bench lint format check-generated generate lock wheel clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv with locked wheels (done by the others when needed)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is %s. Try: make PYTHON=python3.11 ..." % sys.version.split()[0])'
	@echo "setup: $(VENV) from locked wheels, about $(SETUP_MB) MB on disk; a minute or two"
	@start=$$(date +%s); \
	$(PYTHON) -m venv --clear $(VENV) && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . && \
	echo "setup: $$(du -sm $(VENV) | cut -f1) MB in $$(( $$(date +%s) - start )) s"
	@touch $@

demo: $(STAMP) ## Description -> gateware -> verified -> its bits flipped -> its telemetry decoded
	@$(BIN)/fw-tools verify $(SPEC) -o $(OUT) --jobs $(JOBS)
	@$(BIN)/fw-tools upset $(SPEC) --sample --margin 0.02 --fail-on unsafe -o $(OUT)/upset/sample
	@$(BIN)/fw-telemetry decode $(OUT)/housekeeping.bin --definition $(OUT)/generated/telemetry.py:PACKETS

campaign: $(STAMP) ## Flip every bit of the examples' sequencers in every clock; of their memories all or a sample
	@$(BIN)/fw-tools upset $(SPEC) --exhaustive --fail-on unsafe --fail-on silent --fail-on hang
	@$(BIN)/fw-tools upset $(SPEC) --block weight_buffer
	@$(BIN)/fw-tools upset $(SPEC) --block command_store
	@$(BIN)/fw-tools upset examples/breaker_mini/payload.toml --exhaustive

flash-demo: $(STAMP) ## An image into a payload's twin; the line is pulled, plugged in, and it goes on
	@$(BIN)/python examples/flash_demo.py

test: $(STAMP) ## Run every test
	@$(BIN)/python -m pytest -n $(JOBS) --durations=10 $(PYTEST_ARGS)

test-base: $(STAMP) ## Run the telemetry tests where no extra is installed
	@mkdir -p build && sed -n 's/^\([A-Za-z0-9._-]*==.*\) \\$$/\1/p' requirements.lock > build/constraints.txt
	@$(PYTHON) -m venv --clear build/base
	@build/base/bin/python -m pip install --quiet --disable-pip-version-check -c build/constraints.txt . \
	  pytest hypothesis spacepackets
	@build/base/bin/python -m pytest -q -m base tests/telemetry

hil: $(STAMP) ## Run the hardware tests on the twin of the example, over a pty, TCP and RFC 2217
	@$(BIN)/fw-tools ping --board twin:$(SPEC) # Built once, before several want it.
	@$(MAKE) --no-print-directory --output-sync=target -j $(JOBS) $(HIL_RUNS)
	@$(BIN)/fw-tools compare build/hil-pty.json build/hil-tcp.json
	@$(BIN)/fw-tools compare build/hil-tcp.json build/hil-rfc2217.json

$(HIL_RUNS): hil-%: $(STAMP)
	@mkdir -p build && $(BIN)/fw-tools selftest --board twin:$(SPEC) --via $* --record build/hil-$*.json

bench: $(STAMP) ## Measure against peers; CASE=prefix picks rows
	@$(BIN)/python tests/benchmarks $(CASE)

lint: $(STAMP) ## Lint, format check, types, and orphans among the tags of hardening
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	@$(BIN)/python -m fw_tools.rtl.mitigations

format: $(STAMP) ## Bring every source into its format
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

generate: $(STAMP) ## Write the examples' generated files anew
	@for spec in examples/*/payload.toml; do \
	  $(BIN)/fw-tools generate $$spec -o $$(dirname $$spec)/generated || exit; done

check-generated: $(STAMP) ## Compare the checked-in generated files with what is generated now
	@for spec in examples/*/payload.toml; do \
	  $(BIN)/fw-tools generate $$spec -o $$(dirname $$spec)/generated --check || exit; done

lock: ## Resolve requirements.lock anew (needs uv)
	@uv pip compile --quiet --universal --all-extras --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" pyproject.toml -o requirements.lock

wheel: $(STAMP) ## Build the wheel into dist/
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w dist .

clean: ## Remove what was built here (not .venv)
	@rm -rf build dist
