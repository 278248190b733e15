# Needs make and either Bun or Node.js with npm; scripts/install.sh brings the rest.
# Pass flags with ARGS, as in: make serve ARGS="--port 9000"
BUN := node_modules/.bin/bun
# A developer's .env must not change what a build or a test does.
RUN := $(BUN) --no-env-file
ARGS :=

.DEFAULT_GOAL := help
.PHONY: help install serve test test-slow check check-scale build image release smoke bench profile bench-export bench-loop collector interop s3 soak outages simulate fuzz streams recorded recorded-mutants mutants comply clients real docs redaction screenshots fmt clean

help: ## list these targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1	/p' Makefile | expand -t 21

install: ## fetch Bun and the packages, when they are not here yet
	@sh scripts/install.sh

serve: install ## run the proxy from source
	@$(RUN) src/main.ts serve $(ARGS)

test: install ## run the tests
	@$(RUN) test --parallel=2 --timeout 60000 --no-isolate --path-ignore-patterns '**/*.slow.test.ts' $(ARGS)

test-slow: install ## run the tests that take long, those in *.slow.test.ts
	@$(RUN) test --parallel=2 --timeout 60000 --no-isolate .slow.test $(ARGS)

check: install ## all that must pass: format, types, lint, docs, build, tests, smoke
	@$(RUN) scripts/check.ts $(ARGS)

check-scale: install ## test replicas on Valkey and Redis, and exports on Spark; ARGS="--only spark"
	@$(RUN) scripts/check-scale.ts $(ARGS)

build: install ## compile dist/llmproxy for this machine
	@$(RUN) scripts/build.ts $(ARGS)

image: install ## build the container image and try it (needs Docker or Podman)
	@$(RUN) scripts/image.ts

release: install ## compile for every platform, with checksums; URL=, NPM=1, SIGN=minisign or cosign
	@$(RUN) scripts/release.ts $(if $(URL),--url "$(URL)") $(if $(NPM),--npm) $(if $(SIGN),--sign "$(SIGN)") $(if $(SIGN_KEY),--sign-key "$(SIGN_KEY)") $(ARGS)

smoke: install ## try the compiled binary end to end
	@$(RUN) scripts/smoke.ts $(ARGS)

bench: install ## measure what docs/performance.md says (15 minutes); PEERS=dir holds other proxies
	@$(RUN) bench/run.ts $(if $(PEERS),--peers "$(PEERS)") $(ARGS)

profile: install ## show which functions a request spends its time in
	@$(RUN) bench/profile.ts $(ARGS)

bench-export: install ## measure the export against jq and DuckDB, where they are installed
	@$(RUN) bench/export.ts $(ARGS)

bench-loop: install ## measure how long others wait beside heavy requests and answers
	@$(RUN) bench/loop.ts $(ARGS)

soak: install ## run through random faults for some minutes and count everything
	@$(RUN) bench/soak.ts $(ARGS)

outages: install ## let providers go and come back for minutes, with the default settings
	@BUN_CONFIG_MAX_HTTP_REQUESTS=65535 $(RUN) bench/outages.ts $(ARGS)

simulate: install ## run simulated hours of faults from a seed: SEED=1 HOURS=100 JOBS=2
	@$(RUN) scripts/simulate.ts $(if $(SEED),--seed $(SEED)) $(if $(HOURS),--hours $(HOURS)) $(if $(JOBS),--jobs $(JOBS)) $(ARGS)

fuzz: install ## change requests and answers at random, and see what breaks: SEED=1 MINUTES=5, CASE=7 for one
	@$(RUN) scripts/fuzz.ts $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(CASE),--case $(CASE)) $(if $(KEEP),--keep $(KEEP)) $(ARGS)

streams: install ## hold ten thousand streams open at once
	@$(RUN) bench/streams.ts $(ARGS)

recorded: install ## compare recorded traffic with what clients and providers get through the binary
	@$(RUN) scripts/recorded.ts $(ARGS)

mutants: install ## take each rule out of the formats' checkers, which a test must notice
	@$(RUN) scripts/export-mutants.ts $(ARGS)

recorded-mutants: install ## break the project in many ways, each of which that comparison must notice
	@$(RUN) scripts/recorded-mutants.ts $(ARGS)

comply: install ## run public compliance suites against the binary, before every protocol (needs Python and PyPI)
	@$(RUN) scripts/comply.ts $(ARGS)

clients: install ## try real clients with the binary (fetches the clients' packages)
	@$(RUN) scripts/clients.ts $(ARGS)

real: install ## try the binary before a real inference engine (fetches node-llama-cpp)
	@$(RUN) scripts/real.ts

collector: install ## send traces and metrics to the receiver of the OpenTelemetry Collector (needs Go)
	@$(RUN) scripts/collector.ts

interop: install ## load every export format with its real consumers (needs Python and PyPI)
	@$(RUN) scripts/interop.ts $(ARGS)

s3: install ## export from a real S3 server and upload to it (fetches s3rver)
	@$(RUN) scripts/s3.ts

docs: install ## write the generated docs again
	@for script in scripts/docs-*.ts; do echo "$$script"; $(RUN) "$$script" || exit 1; done

redaction: install ## measure what --redact finds, and write the table in docs/export.md
	@$(RUN) scripts/redaction.ts $(ARGS)

screenshots: install ## take the pictures of docs/page.md again (needs Chromium)
	@$(RUN) scripts/screenshots.ts

fmt: install ## format the code
	@$(RUN) fmt $(wildcard src test scripts bench examples)

clean: ## remove what was built
	@rm -rf dist
