# Hearth: `make` prints this menu. Two commands matter: `make run` and `make test`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

HTTP ?= 127.0.0.1:8080
MQTT ?= 127.0.0.1:1883
DATA ?= data
# Where MQTT over TLS listens, such as 0.0.0.0:8883; nowhere unless set.
MQTTS ?=
# How much `make torture` and `make bench` do; `make torture ROUNDS=20 CUTS=2 KILLS=1 EVENTS=1000
# EXAMPLES=1` and `make bench RUNS=1` try the whole chain.
ROUNDS ?= 20000
CUTS ?= 1000
KILLS ?= 50
EVENTS ?= 1000000
EXAMPLES ?= 2000
RUNS ?= 5

.PHONY: help run build test dev check bench torture fuzz clean setup setup-test web

help: ## this menu
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: build ## build all, start the appliance on loopback, print the set-up link
	exec target/release/hearth --data "$(DATA)" serve --http "$(HTTP)" --mqtt "$(MQTT)" $(if $(MQTTS),--mqtts "$(MQTTS)")

build: setup web ## the web client and the release binary
	cargo build --release -p hearth-gateway

test: setup-test web ## all tests: Rust, web client, real binary, stock clients, Chromium
	scripts/test

dev: setup ## the web client with hot reload, beside a running `make run`
	cd webclient && npm ci --no-audit --no-fund && npm run dev

check: setup web ## formatting, lints, types
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd webclient && npm run check

bench: setup web ## the load program beside mosquitto, if installed; the store beside redb: half an hour (RUNS=1: a third)
	cargo build --release -p hearth-gateway
	cargo build --release -p hearth-broker --example standalone
	cargo bench -p system-tests --bench load -- $(RUNS)
	cargo bench -p system-tests --bench gateway -- $(RUNS)
	cargo bench -p hearth-store --bench store -- $(RUNS)
	cargo bench -p hearth-protocol --bench sealing

torture: setup-test web ## the crash tests with many more rounds, the bus with more events: some hours (ROUNDS=20: minutes)
	HEARTH_EVENTS=$(EVENTS) cargo test -p hearth-broker --test broker a_tiny_ring -- --nocapture
	cargo build -p hearth-gateway
	HEARTH_ROUNDS=$(ROUNDS) cargo test -p hearth-store --lib migrate
	HEARTH_ROUNDS=$(ROUNDS) cargo test -p hearth-store --lib compaction_tests
	HEARTH_ROUNDS=$(ROUNDS) cargo test -p hearth-store --lib crash_tests -- --nocapture
	HEARTH_CUTS=$(CUTS) cargo test -p system-tests --test power_cut -- --nocapture
	HEARTH_ROUNDS=$(KILLS) cargo test -p system-tests --test crash -- --nocapture
	HEARTH_EXAMPLES=$(EXAMPLES) cargo test -p system-tests --test description -- --nocapture

fuzz: ## bytes and packet sequences that nobody thought of, each target for a minute
	scripts/fuzz

clean: ## what builds made; never your data
	rm -rf target tests/fuzz/target webclient/dist webclient/node_modules

setup:
	scripts/setup build

setup-test:
	scripts/setup test

web: webclient/dist/index.html

webclient/dist/index.html: $(shell find webclient -path webclient/node_modules -prune -o -path webclient/dist -prune -o -type f -print)
	cd webclient && npm ci --no-audit --no-fund && npm run build
	touch webclient/dist/index.html
