# The work is done by scripts/; each sets up what it needs.

.POSIX:
.PHONY: help build test soak fuzz demo bench lint deny header install clean

# For how long make soak runs, and make fuzz each target; left out, as their lines say.
SECONDS =
# Which targets make fuzz runs; left out, all.
TARGETS =

help: ## shows this
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile

build: ## builds target/release/segl and target/release/libsegl.so
	@scripts/build

test: ## sets up and runs every test
	@scripts/test

soak: ## signs for an hour, or SECONDS=86400, while everything fails that can heal
	@scripts/soak $(SECONDS)

fuzz: ## feeds every parser what nobody would write, a minute each, or SECONDS=600 TARGETS='jws jwk'
	@scripts/fuzz $(SECONDS) $(TARGETS)

demo: ## shows the main job end to end: HSM keys, tokens, from the command line and from C
	@scripts/demo

bench: ## measures every layer against its floor
	@scripts/bench

lint: ## formatting, clippy, documentation, scripts, licences
	@scripts/test lint

deny: ## checks licences, bans and sources of dependencies; installs cargo-deny under build/
	@scripts/deny

header: ## regenerates include/segl.h
	@scripts/setup build && SEGL_BLESS=1 cargo build --locked --features header

install: ## installs what make build made; PREFIX, DESTDIR, LIBDIR
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' LIBDIR='$(LIBDIR)' scripts/install

clean: ## removes target/ and build/
	@rm -rf target build
