# Thin: scripts/setup installs what is missing, CMake builds, busted tests.
build := build
PREFIX ?= /usr/local
prefix ?= $(PREFIX)
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)

SPECS ?= spec
busted = "$$(command -v busted)" --ignore-lua
asan_host := $(CURDIR)/build-asan/bin/quoll-host

.PHONY: all build build-asan run test test-asan test-inject test-gc fuzz bench \
	bench-check docs install uninstall package new-extension lint check \
	format clean

all: build

build:
	@scripts/setup build
	@scripts/build release

build-asan:
	@scripts/setup build
	@scripts/build asan

run: build
	@scripts/setup run
	luajit examples/site.lua 127.0.0.1:8080

test: build
	@scripts/setup test
	@scripts/spec luajit $(busted) -- $(SPECS)

# With a host that lets AddressSanitizer see Lua's memory.
test-asan: build-asan
	@scripts/setup test
	QUOLL_BUILD=build-asan QUOLL_LUA=$(asan_host) QUOLL_TEST_ASAN=1 \
		QUOLL_TEST_PATIENCE=6 scripts/spec $(asan_host) $(busted) \
		--cpath="./build-asan/lib/lua/5.1/?.so" -- $(SPECS)

# Every receive and send answers EAGAIN first, then moves one byte.
test-inject: build
	@scripts/setup test
	QUOLL_TEST_INJECT=1 QUOLL_TEST_PATIENCE=6 \
		scripts/spec env \
		LD_PRELOAD=$(CURDIR)/$(build)/lib/libquoll-preload.so \
		luajit $(busted) -- $(SPECS)

# The collector never rests: also in the scripts that specs start.
test-gc: build
	@scripts/setup test
	QUOLL_TEST_GC=100000 QUOLL_TEST_PATIENCE=6 \
		LUA_INIT=@$(CURDIR)/spec/support/gc.lua \
		scripts/spec luajit $(busted) -- $(SPECS)

# Each target for so many seconds, from fuzz/corpus.
SECONDS ?= 60
fuzz: build
	@scripts/setup fuzz
	@scripts/build fuzz
	@scripts/fuzz $(SECONDS)

# Prints a table; the same as pictures in build/bench/index.html.
bench: build
	@scripts/setup bench
	bench/run

# A short run; fails when a ratio is worse than bench/expected.lua says.
bench-check: build
	@scripts/setup bench
	bench/run --check

# A site in build/docs, stubs for editors in build/luacats, manual pages in
# build/man: of the documents and of what the sources say.
docs: build
	@scripts/setup docs
	@scripts/docs

# With what `make docs` makes, where its tools are there.
install: build
	@if which ldoc cmark-gfm highlight >/dev/null; then scripts/docs; else \
		echo "without documents and stubs: scripts/setup docs"; fi
	cmake --install $(build) --prefix $(prefix)
	@if [ "$$(id -u)" = 0 ] && [ -z "$(DESTDIR)" ]; then ldconfig; fi

uninstall:
	cmake --build $(build) --target uninstall

# The skeleton of a C extension, in DIR/NAME.
new-extension:
	@scripts/new-extension "$(NAME)" "$(DIR)"

# Debian packages, in build-package, with what `make docs` makes.
package: docs
	@scripts/setup package
	@scripts/package $(build)

lint: build
	@scripts/setup lint
	@scripts/lint

check: build
	@scripts/setup lint
	@scripts/check

format:
	@scripts/setup lint
	git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-asan build-fuzz build-package build.luarocks
