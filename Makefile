# make demo   see it work            make test   everything is checked
# make bench  beside the peers       make lock   renew requirements/
# make serve  open it to a browser   make prove  kill it, attack it, load it (half an hour)
# make clean  forget what was built
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
EXAMPLES_DAY := 2026-11-24

# Certificates as the system has them: networks with a mirror or a proxy of their own work too.
export UV_SYSTEM_CERTS := true

.PHONY: demo serve test lint bench prove lock clean
.DEFAULT_GOAL := demo

$(UV): requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 …") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python cannot make environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

.venv/run.stamp: $(UV) requirements/run.txt pyproject.toml
	@test -e .venv/dev.stamp || $(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

.venv/dev.stamp: $(UV) requirements/dev.txt pyproject.toml
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

demo: .venv/run.stamp
	@echo "Données / data (once)…"
	@$(BIN)/lab39 data install ansm || echo "Sans le thésaurus de l'ANSM : petite table / without the ANSM thesaurus: a small table"
	@$(BIN)/lab39 data prepare
	@$(BIN)/lab39 assess examples --on $(EXAMPLES_DAY) --html build/demo/report.html
	@echo
	@echo "Rapport / report     build/demo/report.html"
	@echo "Ensuite / next       $(BIN)/lab39 assess YOUR-RECORD.json"
	@echo "                     $(BIN)/lab39 raredisease rank --hpo HP:0001166,HP:0001083,HP:0002616,HP:0001519"
	@echo "                     $(BIN)/lab39 pharmacy interactions apixaban ibuprofène sertraline"
	@echo "                     $(BIN)/lab39 evidence"
	@echo "                     $(BIN)/lab39 --help"

serve: .venv/run.stamp
	@$(BIN)/lab39 serve

lint: .venv/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

# One pack that tests ask for comes from the registry; without a network they skip, and say so.
test: .venv/dev.stamp lint
	@$(BIN)/lab39 data list ansm --json 2>/dev/null | grep -q '"used": "' || $(BIN)/lab39 data install ansm || true
	@$(BIN)/pytest -n 2 --dist loadgroup

bench: .venv/dev.stamp
	@$(BIN)/python benchmarks/raredisease.py
	@$(BIN)/python benchmarks/pharmacy.py
	@$(BIN)/python benchmarks/vaccination.py
	@$(BIN)/python benchmarks/signals.py --without-planted

prove: .venv/dev.stamp
	@$(BIN)/python benchmarks/prove.py

lock: $(UV)
	@cd requirements && ../$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" bootstrap.in -o bootstrap.txt
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" pyproject.toml --extra dev -o requirements/dev.txt
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate --custom-compile-command "make lock" --constraint requirements/dev.txt pyproject.toml -o requirements/run.txt

clean:
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
