# Each target is a line of the real command. `make run` and `make test` need Python >= 3.11 and a package index.
PYTHON ?= python3
BIN := .venv/bin
CONFIGS ?= config.yaml
# Light steps run beside each other; trainings share the cores.
CORES ?= all
# Trainings at a time, or the GPUs of one.
GPUS ?= 1
# The last file that names an experiment counts, as for Snakemake.
EXPERIMENT ?= $(shell sed -n 's/^experiment: *[^A-Za-z0-9]\{0,1\}\([A-Za-z0-9_-]*\).*/\1/p' $(CONFIGS) 2>/dev/null | tail -n 1)
# Snakemake itself says it in a traceback.
$(foreach file,$(CONFIGS),$(if $(wildcard $(file)),,$(error $(file): no such file; CONFIGS names the config files)))
ASKED = --configfile $(CONFIGS) $(if $(EXPERIMENT),--config experiment=$(EXPERIMENT))
SNAKEMAKE = PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores $(CORES) --resources gpu=$(GPUS) $(ASKED)

.PHONY: setup check run test lint format report status disk prune verify audit predict bench

run: setup check
	$(SNAKEMAKE)

# Beside each other, as many as there are cores: most of a test's time goes into starting processes.
test: setup lint
	$(BIN)/pytest --numprocesses auto --dist worksteal

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow/rules workflow/predict

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow/rules workflow/predict

report: setup check
	$(SNAKEMAKE) -- results/$(EXPERIMENT)/report.html

# What a run would do, and what a run leaves behind; all on the same experiment as `make run`.
COMMAND = PYTHONPATH=workflow $(BIN)/python workflow/commands
CHOSEN = --configfile $(CONFIGS) $(if $(EXPERIMENT),--experiment $(EXPERIMENT))

check: setup
	@$(COMMAND)/check.py $(CHOSEN)

status: setup
	@$(COMMAND)/status.py $(CHOSEN)

disk: setup
	@$(COMMAND)/disk.py $(CHOSEN)

prune: setup
	@$(COMMAND)/prune.py $(CHOSEN) $(if $(STATES),--states) $(if $(REMOVE),--remove)

verify: setup
	@$(COMMAND)/verify.py $(CHOSEN)

# make audit SPLIT=theirs.csv DATA=folder [SLIDES=slides.csv] [LABELS=labels.csv] [OUT=folder]
audit: setup
	@$(COMMAND)/audit.py $(if $(SPLIT),--split "$(SPLIT)") $(if $(DATA),--data "$(DATA)") \
		$(if $(SLIDES),--slides "$(SLIDES)") $(if $(LABELS),--labels "$(LABELS)") $(if $(OUT),--out "$(OUT)")

# make predict MODEL=results/demo/final/model INPUT=patches [OUT=folder] [POINT=youden] [ABSTAIN=0.1]
# Slides are tiled; more may be said of them: [MPP=0.25] [MODEL_MPP=0.5] [STRIDE=48] [TISSUE=0.05] [TOP=10]
PREDICT = snakemake --snakefile workflow/predict/Snakefile --cores $(CORES) --resources gpu=1
predict: setup
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PREDICT) --config "model='$(MODEL)'" "input='$(INPUT)'" "out='$(OUT)'" \
		"point=$(POINT)" "abstain=$(ABSTAIN)" \
		"mpp=$(MPP)" "model_mpp=$(MODEL_MPP)" "stride=$(STRIDE)" "tissue=$(TISSUE)" "top=$(TOP)"

bench: setup
	$(BIN)/python benchmarks/first_run.py
	$(BIN)/python benchmarks/training_speed.py
	$(BIN)/python benchmarks/augmentation_speed.py
	$(BIN)/python benchmarks/kaggle_scale.py
	$(BIN)/python benchmarks/workflow_speed.py
	$(BIN)/python benchmarks/coverage.py
	$(BIN)/python benchmarks/audit_scale.py
	$(BIN)/python benchmarks/fuzz.py

setup: .venv/.installed

# The stamp holds the pins that were installed, so that a second `make` installs nothing.
.venv/.installed: requirements.txt
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('Python 3.11 or newer is needed: make PYTHON=python3.12')"
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements.txt
	cp requirements.txt $@
