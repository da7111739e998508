# Two commands: `make demo` and `make test`. Both make .venv first, and are quick when run again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# tensorflow-cpu where there is no NVIDIA GPU: the plain package brings gigabytes of CUDA.
KIND := $(if $(shell command -v nvidia-smi),gpu,cpu)
# What the demo needs, and what the tests need on top of it in the same environment.
READY := $(VENV)/ready-$(KIND)
TESTS_READY := $(VENV)/ready-$(KIND)-test
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-bare check unit slow bench bench-compare bench-baseline speed reading-pictures page-pictures page-script backends models readme-results emulated-cores verify-c bench-c bench-serving bench-bulk bench-web onnxruntime-web esbuild emulated-core-packages system torture lock clean

demo: $(READY)  ## train for 2 epochs, export, prove, read the examples, one table
	$(BIN)/edgedigits demo

test: $(TESTS_READY)  ## format, lint, types and every test, warnings as errors; one summary
	$(BIN)/python -m tests

test-bare: $(TESTS_READY)  ## the same on a PATH of only Python, make, git, sh and coreutils; PARTS=unit for a part
	$(BIN)/python -m tests --bare $(PARTS)

check: $(TESTS_READY)  ## format, lint and types
	$(BIN)/python -m tests format lint types

unit slow: $(TESTS_READY)  ## the tests that take milliseconds; those that train, convert or install
	$(BIN)/python -m tests $@

speed: $(TESTS_READY)  ## how near the runtime comes to its bare engines
	$(BIN)/python -m benchmarks.speed

reading-pictures: $(TESTS_READY)  ## draw the pictures of docs/reading.md, and write there what was read
	$(BIN)/python -m benchmarks.reading_pictures docs

page-pictures: $(TESTS_READY)  ## photograph the page for the docs
	$(BIN)/python -m tests.support.page_pictures docs/pictures

onnxruntime-web: build/onnxruntime-web-1.30.0.tgz  ## fetch the npm package that the page's other engine is taken of

build/onnxruntime-web-%.tgz:
	mkdir -p build
	npm pack --pack-destination build onnxruntime-web@$*

ESBUILD := requirements/node_modules/.package-lock.json

page-script: $(ESBUILD)  ## make the page's minified scripts and style with esbuild, after a change in web/source
	npm run --silent --prefix requirements page-script

esbuild: $(ESBUILD)  ## install esbuild from npm; a test makes the page's script with it and compares

$(ESBUILD): requirements/package-lock.json
	npm ci --silent --prefix requirements
	touch $@

bench-web: $(TESTS_READY)  ## sizes, times and exactness of the page without a server
	$(BIN)/python -m benchmarks.web_page

bench: $(TESTS_READY)  ## the engines side by side, and all comparisons of speed
	$(BIN)/pytest -q benchmarks --benchmark-only

# Those whose ratios are steady and take seconds, not minutes.
BASELINE_RUN := build/bench-compare.json
BASELINE_SUITE = mkdir -p build && $(BIN)/pytest -q benchmarks --benchmark-only --benchmark-json=$(BASELINE_RUN) \
	-k "invoke or photo or one_array or many_arrays or whole_process"

bench-compare: $(TESTS_READY)  ## whether anything became slower than the stored baseline; SHARE=0.1 for another share
	$(BASELINE_SUITE)
	$(BIN)/python -m benchmarks.baseline $(BASELINE_RUN) --share $(or $(SHARE),0.25)

bench-baseline: $(TESTS_READY)  ## measure the baseline again, after a change that is meant to be slower or faster
	$(BASELINE_SUITE)
	$(BIN)/python -m benchmarks.baseline --store $(BASELINE_RUN)

backends: $(TESTS_READY)  ## train pico under every Keras backend that is installed, and write what they gave into docs/training.md
	$(BIN)/python -m benchmarks.backends

models: $(TESTS_READY)  ## rebuild the shipped models from scratch
	$(BIN)/python -m benchmarks.shipped_models.build

readme-results: $(TESTS_READY)  ## measure the README's results, and write them into its table
	$(BIN)/python -m benchmarks.readme_results

CORE_MODELS ?= pico nano

emulated-cores: $(TESTS_READY) emulated-core-packages  ## C on nine emulated cores: self-test, sizes, instructions; CORE_MODELS=base for another model
	set -e; for model in $(CORE_MODELS); do \
		$(BIN)/edgedigits export $$model --format c --no-verify --force --out build/emulated-cores/$$model-c; \
		$(BIN)/python -m benchmarks.emulated_cores build/emulated-cores/$$model-c; \
	done

verify-c: $(TESTS_READY) emulated-core-packages  ## every value of the C export against LiteRT's, on the host and on emulated cores
	$(BIN)/python -m benchmarks.verify_c

bench-c: $(TESTS_READY) emulated-core-packages  ## flash, RAM, instructions and speed of the C export; writes the tables of docs/c.md
	$(BIN)/python -m benchmarks.c_export

bench-serving: $(TESTS_READY)  ## requests a second of edgedigits serve, and its latency; writes the table of docs/serving.md
	.ci/system requirements/bench-packages.txt
	$(BIN)/python -m benchmarks.serving

bench-bulk: $(TESTS_READY)  ## pictures a second of read-bulk by workers; writes the table of docs/bulk.md
	$(BIN)/python -m benchmarks.bulk

ATTACKS := pictures models kills faults endurance

torture: $(TESTS_READY)  ## every attack in full length, for hours; writes the figures of docs/reliability.md
	status=0; for attack in $(ATTACKS); do $(BIN)/python -m tests.torture.$$attack || status=1; done; \
	$(BIN)/python -m tests.torture.page; exit $$status

emulated-core-packages:
	.ci/system requirements/system-packages.txt requirements/emulated-core-packages.txt

system:  ## system packages that some tests need (requirements/system-packages.txt)
	.ci/system

# Another lock file, pyproject.toml or Makefile makes the environment again; sources are installed editable.
$(READY): pyproject.toml requirements/$(KIND).lock requirements/make-env
	PYTHON=$(PYTHON) requirements/make-env $(VENV) requirements/$(KIND).lock
	touch $@

$(TESTS_READY): $(READY) requirements/$(KIND)-test.lock
	PYTHON=$(PYTHON) requirements/make-env $(VENV) requirements/$(KIND)-test.lock
	touch $@

lock:  ## choose the newest versions that pyproject.toml admits; needs uv
	requirements/lock

clean:
	rm -rf $(VENV) dist build requirements/node_modules
