# make night   a demo clinic's night, from nothing
# make test    the tests
# make serve   a Prefect server and the nightly deployment (EXPORTS=, CLINIC=, WAREHOUSE=; the demo's by default)
# make pages   the pages of what is published, into WAREHOUSE/shared/pages (CLINIC=, WAREHOUSE=)
# make query   the newest published file, read-only and locked, to ask it SQL (WAREHOUSE=; one query: SQL="...")
# make browser Debian's Chromium and the pages' font, for the tests that open the pages (as root)
# make worklist  whom clinicians should think of before the next session, into WAREHOUSE/private (CLINIC=, WAREHOUSE=)
# make truth   whether the metrics find what is planted in simulated clinics
# make bench   the benchmark (SIZE=S, M, L or history; ROUNDS=; TABLES=all or records)
# make soak    a thousand publications under readers, kills, full disks, random histories, spoilt files; an hour or more (SEED=)
# make trouble  a scripted day of trouble on real processes; a quarter of an hour (SCENARIOS=)
# make lint    formatting, lint and types
# make lock    requirements.lock again, from pyproject.toml

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
DEMO_NIGHT := 2026-11-21T03:00

EXPORTS ?= demo/exports
CLINIC ?= demo/clinic.toml
WAREHOUSE ?= demo/warehouse
SIZE ?= S
ROUNDS ?= 3
TABLES ?= all
SEEDS ?= 20

.PHONY: night test serve pages query browser worklist truth bench soak trouble lint lock clean
.SILENT: night test serve pages query browser worklist truth bench soak trouble lint $(READY)

night: $(READY)
	$(BIN)/rapport demo --out demo
	$(BIN)/rapport key --warehouse demo/warehouse
	$(BIN)/rapport night --exports demo/exports --clinic demo/clinic.toml --warehouse demo/warehouse --as-of $(DEMO_NIGHT)

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder

serve: $(READY)
	$(BIN)/rapport serve --exports $(EXPORTS) --clinic $(CLINIC) --warehouse $(WAREHOUSE)

pages: $(READY)
	$(BIN)/rapport pages --clinic $(CLINIC) --warehouse $(WAREHOUSE)

query: $(READY)
	$(BIN)/rapport query --warehouse $(WAREHOUSE) $(if $(SQL),--sql "$(SQL)")

browser:
	apt-get update -qq && apt-get install -y -qq chromium fonts-liberation >/dev/null

worklist: $(READY)
	$(BIN)/rapport worklist --clinic $(CLINIC) --warehouse $(WAREHOUSE)

truth: $(READY)
	$(BIN)/python -m rapport.flows.demo.recovery --seeds $(SEEDS)

bench: $(READY)
	$(BIN)/python -m rapport.flows.bench --size $(SIZE) --rounds $(ROUNDS) --tables $(TABLES)

soak: $(READY)
	$(BIN)/python -m tests.breaking.soak $(if $(SEED),--seed $(SEED))

trouble: $(READY)
	$(BIN)/python -m tests.breaking.trouble $(SCENARIOS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

# The lock is complete, so nothing outside it is resolved; `pip check` says so. The checkout is then installed as it
# stands, so that an edit works at once and the command `rapport` is there.
$(READY): requirements.lock pyproject.toml
	echo "making the environment: a minute or two, once"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-index --no-build-isolation --editable .
	$(BIN)/python -m pip check >/dev/null
	touch $@

lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock
	rm -rf .venv-lock

clean:
	rm -rf .venv .prefect demo bench
