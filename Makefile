# The two main commands are `make demo` and `make test`. Both make .venv first; later runs reuse it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# tensorflow-cpu without an NVIDIA GPU, because the plain package installs gigabytes of CUDA.
KIND := $(if $(shell command -v nvidia-smi),gpu,cpu)
# Files that mark the packages of the demo, and those of the tests, as installed in the environment.
READY := $(VENV)/ready-$(KIND)
TESTS_READY := $(VENV)/ready-$(KIND)-test
export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test test-bare check unit slow bench bench-compare bench-baseline speed reading-pictures page-pictures page-script backends models readme-results emulated-cores verify-c bench-c bench-serving bench-bulk bench-web onnxruntime-web esbuild emulated-core-packages fonts scene-material system torture docs lock clean

demo: $(READY)  ## train for 2 epochs, export, verify, read the examples, print one table
	$(BIN)/edgedigits demo

test: $(TESTS_READY)  ## check format, lint and types, and run all tests with warnings as errors; print one summary
	$(BIN)/python -m tests

test-bare: $(TESTS_READY)  ## run the tests with only Python, make, git, sh and coreutils on PATH; PARTS=unit runs one part
	$(BIN)/python -m tests --bare $(PARTS)

check: $(TESTS_READY)  ## check format, lint and types
	$(BIN)/python -m tests format lint types

unit slow: $(TESTS_READY)  ## run the fast tests (unit), or those that train, convert or install (slow)
	$(BIN)/python -m tests $@

speed: $(TESTS_READY)  ## measure the runtime against its bare engines
	$(BIN)/python -m benchmarks.speed

reading-pictures: $(TESTS_READY)  ## draw the pictures of docs/reading.md, and write its table of readings
	$(BIN)/python -m benchmarks.reading_pictures docs

page-pictures: $(TESTS_READY)  ## take the page's screenshots for the docs
	$(BIN)/python -m tests.support.page_pictures docs/pictures

onnxruntime-web: build/onnxruntime-web-1.30.0.tgz  ## fetch the npm package of ONNX Runtime Web, the page's other engine

build/onnxruntime-web-%.tgz:
	mkdir -p build
	npm pack --pack-destination build onnxruntime-web@$*

ESBUILD := requirements/node_modules/.package-lock.json

page-script: $(ESBUILD)  ## build the page's minified scripts and style with esbuild, after a change in web/source
	npm run --silent --prefix requirements page-script

esbuild: $(ESBUILD)  ## install esbuild from npm; a test rebuilds the page's scripts and compares them

$(ESBUILD): requirements/package-lock.json
	npm ci --silent --prefix requirements
	touch $@

bench-web: $(TESTS_READY)  ## measure size, speed and exactness of the page without a server
	$(BIN)/python -m benchmarks.web_page

bench: $(TESTS_READY)  ## measure the engines side by side, and all other benchmarks of speed
	$(BIN)/pytest -q benchmarks --benchmark-only

# Benchmarks with steady ratios that take seconds, not minutes.
BASELINE_RUN := build/bench-compare.json
BASELINE_SUITE = mkdir -p build && $(BIN)/pytest -q benchmarks --benchmark-only --benchmark-json=$(BASELINE_RUN) \
	-k "invoke or photo or one_array or many_arrays or whole_process"

bench-compare: $(TESTS_READY)  ## fail if a benchmark is slower than the stored baseline by 25%; SHARE=0.1 sets the limit to 10%
	$(BASELINE_SUITE)
	$(BIN)/python -m benchmarks.baseline $(BASELINE_RUN) --share $(or $(SHARE),0.25)

bench-baseline: $(TESTS_READY)  ## measure the baseline again, after an intended change of speed
	$(BASELINE_SUITE)
	$(BIN)/python -m benchmarks.baseline --store $(BASELINE_RUN)

backends: $(TESTS_READY)  ## train pico with each installed Keras backend; writes a table of benchmarks/results/training.md
	$(BIN)/python -m benchmarks.backends

models: $(TESTS_READY)  ## rebuild the shipped models from scratch
	$(BIN)/python -m benchmarks.shipped_models.build
	$(BIN)/python -m benchmarks.shipped_models.finder

readme-results: $(TESTS_READY)  ## measure the shipped models; writes the tables of README, docs/models.md, docs/speed.md and docs/published.md
	$(BIN)/python -m benchmarks.readme_results

CORE_MODELS ?= pico nano

emulated-cores: $(TESTS_READY) emulated-core-packages  ## run the C export on nine emulated cores: self-test, sizes, instructions; CORE_MODELS=base runs another model
	set -e; for model in $(CORE_MODELS); do \
		$(BIN)/edgedigits export $$model --format c --no-verify --force --out build/emulated-cores/$$model-c; \
		$(BIN)/python -m benchmarks.emulated_cores build/emulated-cores/$$model-c; \
	done

verify-c: $(TESTS_READY) emulated-core-packages  ## compare every value of the C export with LiteRT's, on the host and on emulated cores
	$(BIN)/python -m benchmarks.verify_c

bench-c: $(TESTS_READY) emulated-core-packages  ## measure flash, RAM, instructions and speed of the C export; writes the tables of docs/c.md and benchmarks/results/c_export.md
	$(BIN)/python -m benchmarks.c_export

bench-serving: $(TESTS_READY)  ## measure requests per second and latency of edgedigits serve; writes the table of docs/serving.md
	.ci/system requirements/bench-packages.txt
	$(BIN)/python -m benchmarks.serving

bench-bulk: $(TESTS_READY)  ## measure pictures per second of read-bulk by number of workers; writes the table of docs/bulk.md
	$(BIN)/python -m benchmarks.bulk

ATTACKS := pictures models kills faults endurance

torture: $(TESTS_READY)  ## run every attack in full, for hours; writes the tables of tests/torture/README.md
	status=0; for attack in $(ATTACKS); do $(BIN)/python -m tests.torture.$$attack || status=1; done; \
	$(BIN)/python -m tests.torture.page; exit $$status

emulated-core-packages:
	.ci/system requirements/system-packages.txt requirements/emulated-core-packages.txt

fonts:  ## unpack the fonts that networks learn printed digits from into the user's cache (requirements/font-packages.txt)
	requirements/fonts

scene-material: $(READY) fonts  ## pack photographs, textures, objects and fonts of Debian packages for the scenes that train the finder
	$(BIN)/python -m edgedigits.scenes.pack requirements/scene-packages.txt

DOCS := .venv-docs

docs: $(DOCS)/ready  ## build the documentation as a site in build/site, with every link checked
	$(DOCS)/bin/python -m tests.support.docs_tree build/docs-pages
	NO_MKDOCS_2_WARNING=1 $(DOCS)/bin/mkdocs build --strict --quiet
	@echo open build/site/index.html, or: python3 -m http.server --directory build/site

$(DOCS)/ready: requirements/docs.lock
	[ -x $(DOCS)/bin/pip ] || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install --quiet --disable-pip-version-check --requirement requirements/docs.lock
	touch $@

system:  ## install the system packages that some tests need (requirements/system-packages.txt)
	.ci/system

# A newer lock file, pyproject.toml or make-env rebuilds the environment; sources are installed editable.
$(READY): pyproject.toml requirements/$(KIND).lock requirements/make-env
	PYTHON=$(PYTHON) requirements/make-env $(VENV) requirements/$(KIND).lock
	touch $@

$(TESTS_READY): $(READY) requirements/$(KIND)-test.lock
	PYTHON=$(PYTHON) requirements/make-env $(VENV) requirements/$(KIND)-test.lock
	touch $@

lock:  ## lock the newest versions that pyproject.toml allows; needs uv
	requirements/lock

clean:
	rm -rf $(VENV) $(DOCS) dist build requirements/node_modules
