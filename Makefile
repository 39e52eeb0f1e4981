# qanda: `make up` starts a service over the sample documents, `make test` runs everything that CI runs.
# The work is in scripts/, and in bench/ what measures; each step says what it does and fails with one sentence.

.DEFAULT_GOAL := help
.PHONY: help up up_sync_one up_sync_three up_sync_three_2_threads up_async_one up_async_three build install models \
	chroma test test-api test-endpoints test-kills test-folder check deploy-check image test-replicas bench bench-peers \
	bench-scale bench-restarts bench-pipelines bench-retrieval bench-search bench-answers bench-busy train-reader eval \
	clean

DOCS ?= examples
LISTEN ?= 127.0.0.1:8000
MODEL ?=
export MODEL
up = scripts/up.sh "$(DOCS)" "$(LISTEN)" --timeout 120

help: ## List the targets
	@grep -hE '^[a-z0-9_-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 26

up: ## Set up, build, ingest DOCS (examples) and serve on LISTEN (127.0.0.1:8000), with MODEL if one is named
	@scripts/up.sh "$(DOCS)" "$(LISTEN)"

up_sync_one: ## The same with one process that takes one request at a time
	@$(up) --workers 1 --worker-class sync

up_sync_three: ## ... with three of them
	@$(up) --workers 3 --worker-class sync

up_sync_three_2_threads: ## ... with three, two threads each
	@$(up) --workers 3 --worker-class gthread --threads 2

up_async_one: ## ... with one process that takes all requests (as make up)
	@$(up) --workers 1 --worker-class async

up_async_three: ## ... with three of them
	@$(up) --workers 3 --worker-class async

build: ## Build the release binary, target/release/qanda
	@scripts/build.sh

install: ## Install the release binary, manual pages, completions and a unit for systemd below PREFIX (/usr/local)
	@scripts/install.sh

models: build ## Download the default models
	@scripts/models.sh

chroma: ## Start a Chroma server on 127.0.0.1:17171
	@scripts/chroma.sh run

test: ## Set up and run every check and test
	@scripts/test.sh

test-endpoints: models ## Try the OpenAI-compatible client against servers that are not ours
	@scripts/endpoints.sh

test-api: build models ## Schemathesis against /openapi.json of a running server (EXAMPLES=15 for each route)
	@scripts/api.sh

test-kills: build ## Kill an ingest KILLS (500) times at random moments and look at the store each time
	@scripts/kills.sh

test-folder: build ## Ingest, watch, change, move, kill at and restore a folder of DOCUMENTS (10,000) documents
	@scripts/folder.sh

check: ## Format, lints, documentation, dependencies
	@scripts/check.sh

deploy-check: ## Render deploy/ and check the Kubernetes objects
	@scripts/deploy-check.sh

image: ## Container image in target/image (CPU, WITH_MODELS, TAG: scripts/image.sh)
	@scripts/image.sh

test-replicas: build models ## Two replicas behind nginx over one Chroma; one is killed under load
	@scripts/replicas.sh

bench: models ## The original's experiments, a chapter of docs/benchmarks.md (SCALE=0.25 for a quick run)
	@bench/experiments/run.sh

bench-peers: build ## Python services of the same kind and qanda, side by side
	@bench/peers/run.sh

bench-scale: build ## One process under up to 10,000 questions at once (SCALE=0.25 ROUNDS=1 for a quick run)
	@bench/scale.sh

bench-restarts: build ## A hundred rolling restarts (HUP) under load; no question may be lost
	@bench/restarts.sh

bench-pipelines: models ## The pipelines side by side, over one Chroma and a mock model
	@bench/pipelines.sh

bench-retrieval: models ## nDCG, recall and MRR on SciFact (../shared/data/scifact)
	@bench/retrieval.sh

bench-search: build ## Search in 100,000 passages: speed, recall, size
	@bench/search.sh

bench-answers: models ## Time to first token, throughput, memory, start-up over the samples
	@bench/answers.sh

bench-busy: models ## Answers on a quiet machine and beside programs that keep every core busy
	@bench/busy/run.sh

train-reader: models ## Train the reader, hours; goes on where it was stopped (training/README.md)
	@scripts/train-reader.sh

eval: models ## Measure answers: right, false, refused, cited, verified (FULL=1 asks all questions)
	@FULL="$(FULL)" scripts/eval.sh

clean: ## Remove what was built here; models and tools stay in the cache
	@rm -rf target data
