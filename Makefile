# make run    install, then execute every notebook (PROFILE=, NOTEBOOKS=, PARAMS= narrow it)
# make sweep  one run for each combination, and a table (NOTEBOOKS=09_ratings_knn PARAMS="seed=0,1,2 n_rated=30,120")
# make labels generate and label COUNT portraits in SHARDS parts (240000 in 16)
# make test   install, then check style, run the tests
# make chat   open the chat with Oh-LoRA in the browser, on this machine only
# make report one table of every metric beside its reference
# make browser  install Chromium for the tests of the chat page (Debian, Ubuntu; as root)
# make bench  medians of the speed of each stage, on this machine
# make results the READMEs' table of results, from the committed cards and metrics

PYTHON ?= python3
PROFILE ?= embedded
NOTEBOOKS ?=
PARAMS ?=
JOBS ?= 2
# EXECUTOR=slurm or kubernetes: run, sweep and labels go to a cluster (docs/batch.md); OPTIONS= goes to Snakemake
EXECUTOR ?=
CLUSTER = $(if $(EXECUTOR),.venv/cluster)
OPTIONS ?=
COUNT ?= 240000
SHARDS ?= 16
PICTURES ?= 0
BIN := .venv/bin
# One thread a process: on a small machine two processes with one thread each beat one with two,
# and PyTorch's threads collapse when another process is busy.
export OMP_NUM_THREADS ?= 1
export HF_HUB_OFFLINE ?= $(if $(filter embedded,$(PROFILE)),1,0)
export TOKENIZERS_PARALLELISM := false
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# On one machine its only graphics card is used by one job at a time.
SNAKEMAKE_OPTIONS = $(if $(EXECUTOR),--profile config/snakemake/$(EXECUTOR),--cores $(JOBS) --resources gpu=1) \
	--rerun-triggers mtime params --keep-going --quiet rules host $(OPTIONS)

.PHONY: help install run sweep labels browser test test-full chat report bench publish results lint clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

install: .venv/installed

.venv/installed: pyproject.toml requirements-no-deps.txt constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 12) else f"Python 3.11 or 3.12 is needed, this is {v}: make PYTHON=python3.11 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,evaluation,dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-no-deps.txt
	touch $@

# What Snakemake needs to talk to a cluster; the tests plan such runs.
.venv/cluster: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[cluster]'
	touch $@

run: install $(CLUSTER)
	$(BIN)/snakemake all $(SNAKEMAKE_OPTIONS) --config profile=$(PROFILE) notebooks="$(NOTEBOOKS)" parameters="$(PARAMS)"
	$(BIN)/python -m ohlora.evaluation.report

# The table comes even where some runs failed, and names them.
sweep: install $(CLUSTER)
	@test -n "$(NOTEBOOKS)" -a -n "$(PARAMS)" || { echo 'make sweep NOTEBOOKS="09_ratings_knn" PARAMS="seed=0,1,2 n_rated=30,120"'; exit 2; }
	$(BIN)/snakemake sweep $(SNAKEMAKE_OPTIONS) --config profile=$(PROFILE) notebooks="$(NOTEBOOKS)" sweep="$(PARAMS)"; status=$$?; \
	$(BIN)/python -m ohlora.evaluation.sweep --notebooks "$(NOTEBOOKS)" --sweep "$(PARAMS)" && exit $$status

labels: install $(CLUSTER)
	$(BIN)/snakemake labels $(SNAKEMAKE_OPTIONS) --config profile=$(PROFILE) count=$(COUNT) shards=$(SHARDS) pictures=$(PICTURES)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The tests of the chat page need a browser; without one they are skipped, and say so.
browser:
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit 0; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		timeout 300 sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk' >/dev/null 2>&1; \
	fi; \
	command -v chromium >/dev/null || echo "No Chromium: the tests of the chat page are skipped. sudo apt-get install chromium fonts-noto-cjk"

test: lint browser .venv/cluster
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not full" tests

test-full: lint browser .venv/cluster
	$(BIN)/python -m pytest -n 2 --dist worksteal tests

chat: install
	@echo "Oh-LoRA opens in your browser. In JupyterLab: $(BIN)/jupyter lab notebooks/16_oh_lora.ipynb"
	$(BIN)/voila notebooks/chat.ipynb --Voila.ip=127.0.0.1

report: install
	$(BIN)/python -m ohlora.evaluation.report

bench: install
	$(BIN)/python -m ohlora.evaluation.benchmark

publish: install
	$(BIN)/python scripts/publish_notebooks.py

results: install
	$(BIN)/python scripts/results_table.py

clean:
	rm -rf .venv .snakemake
