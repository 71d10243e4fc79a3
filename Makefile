# SPDX-License-Identifier: MIT
# `make help` lists the targets. Everything built lands in .output/, but for ./trace and ./lab.
# V=1 shows the commands; DEBUG=1 and ASAN=1 change the build; CC=gcc or CC=clang.
# ARCH=arm64 or ARCH=amd64 builds for that machine, in .output/ARCH/, whatever this one is.

arch_name = $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(1)))
HOST_ARCH := $(call arch_name,$(shell uname -m))
ARCH ?= $(HOST_ARCH)
override ARCH := $(call arch_name,$(ARCH))
ifeq ($(ARCH),$(HOST_ARCH))
OUTPUT := .output
# Where ./trace and ./lab go.
TOP :=
CROSS :=
DEPS := sudo make deps
else
ifeq ($(filter amd64 arm64,$(ARCH)),)
$(error ARCH=$(ARCH): this builds for arm64 and for amd64)
endif
OUTPUT := .output/$(ARCH)
TOP := $(OUTPUT)/
CROSS := $(patsubst amd64,x86_64,$(patsubst arm64,aarch64,$(ARCH)))-linux-gnu
DEPS := sudo .ci/install build vm
# A link to that machine's headers and libraries, unpacked from Debian's packages.
SYSROOT := $(OUTPUT)/sysroot
endif
# The build that the sanitizers watch and libFuzzer steers: apart, so that the ordinary one stays.
SANITIZED := .output/sanitized
ifeq ($(origin CC),default)
CC := $(CROSS:%=%-)gcc
endif
ifneq ($(CROSS),)
AR := $(CROSS)-ar
endif
CLANG ?= clang
BPFTOOL ?= $(or $(shell command -v bpftool 2>/dev/null),$(wildcard /usr/sbin/bpftool),bpftool)
PKG_CONFIG ?= $(if $(CROSS),env PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) \
	PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(CROSS)/pkgconfig) pkg-config
PREFIX ?= /usr/local
BPF_ARCH := $(patsubst amd64,x86,$(ARCH))

WARNINGS := -Wall -Wextra -Werror
CFLAGS ?= $(if $(filter 1,$(DEBUG)),-Og -DDEBUG,-O2)
COMPILE = $(CC) $(SYSROOT:%=--sysroot=%) -std=gnu11 -g $(CFLAGS) $(WARNINGS)
ifeq ($(ASAN),1)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
# What libFuzzer steers by; such objects also link to programs without it. Comparisons are not traced: that
# takes more time than all else, and the mutators know the values.
ifeq ($(FUZZ),1)
SANITIZE += -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
endif
OURS := $(SANITIZE) -Ibpf -Isrc -I$(OUTPUT)

# Found by folder: a new file needs no line here.
SRCS := $(filter-out src/lab/%,$(wildcard src/*.c src/*/*.c))
LAB_SRCS := $(wildcard src/lab/*.c)
OBJS := $(SRCS:src/%.c=$(OUTPUT)/obj/%.o) $(OUTPUT)/obj/schema_json.o
# What needs neither kernel nor libbpf, and so is what the unit tests link.
CORE_OBJS := $(filter-out $(addprefix $(OUTPUT)/obj/,main.o cmd/% capture/%),$(OBJS))
LAB_OBJS := $(LAB_SRCS:src/%.c=$(OUTPUT)/obj/%.o)
# Of these ./lab takes what it shows and checks recordings with.
CMD_OBJS := $(filter $(OUTPUT)/obj/cmd/%,$(OBJS))
ALL_OBJS := $(filter-out $(OUTPUT)/obj/main.o,$(OBJS))
LABS := $(patsubst %.c,$(OUTPUT)/%,$(wildcard labs/*/*.c))
UNIT_TESTS := $(patsubst %.c,$(OUTPUT)/%,$(wildcard tests/unit/test_*.c))
FUZZ_TARGETS := $(patsubst %.c,$(OUTPUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
# Programs that tests start and trace: tests/FOLDER/progs/NAME.c becomes .output/tests/FOLDER/NAME.
TEST_PROGRAMS := $(subst /progs/,/,$(patsubst %.c,$(OUTPUT)/%,$(wildcard tests/*/progs/*.c)))
# Witnesses in the kernel: tests/FOLDER/witness/NAME.bpf.c and NAME.c become .output/tests/FOLDER/witness/NAME.
WITNESSES := $(patsubst %.bpf.c,$(OUTPUT)/%,$(wildcard tests/*/witness/*.bpf.c))

# Linked statically, so that ./trace runs where only the C library is.
static_libs = -Wl,-Bstatic $(filter-out -lm,$(shell $(PKG_CONFIG) --static --libs $(1))) -Wl,-Bdynamic -lm
STATIC_LIBS = $(call static_libs,libbpf libelf libcap sqlite3)
# src/capture/together.c and kernel_btf.c stand before libbpf's own.
WRAP := -Wl,--wrap=bpf_prog_load -Wl,--wrap=btf__load_vmlinux_btf
LAB_LIBS = $(call static_libs,libcap sqlite3)
ALL_LIBS = $(shell $(PKG_CONFIG) --libs libbpf libelf libcap sqlite3)
# What the core needs of these, for the unit tests.
CORE_LIBS = $(shell $(PKG_CONFIG) --libs sqlite3)
# clang -target bpf does not look where Debian keeps the headers of the machine (asm/).
BPF_INCLUDES = $(if $(CROSS),--sysroot=$(SYSROOT) -idirafter $(SYSROOT)/usr/include/$(CROSS),$(HOST_INCLUDES))
HOST_INCLUDES = $(shell $(CLANG) -v -E - </dev/null 2>&1 | \
	sed -n '/<...> search starts here:/,/End of search list./s/^ \//-idirafter \//p')
BPF_COMPILE = $(CLANG) -target bpf -mcpu=v3 -O2 -g $(WARNINGS) -Wno-unused-parameter -D__TARGET_ARCH_$(BPF_ARCH) \
	-Ibpf $(BPF_INCLUDES)

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s %s\n' "$(1)" "$(patsubst $(CURDIR)/%,%,$(2))";
MAKEFLAGS += --no-print-directory
endif
jobs := -j$(shell nproc)
need_root = @[ "$$(id -u)" = 0 ] || { echo "This needs root: sudo make $@" >&2; exit 1; }

.SUFFIXES:
.SECONDEXPANSION:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

##@ Build
.PHONY: all
all: $(TOP)trace $(TOP)lab labs ## build ./trace, ./lab and the labs (no root, no network)
	@:

.PHONY: labs
labs: $(LABS) ## build the programs of the labs
	@:

.PHONY: deps
deps: ## install the packages needed to build and to test (as root)
	$(Q).ci/install build labs handouts test

.PHONY: install
install: $(TOP)trace $(TOP)lab labs ## copy ./trace, ./lab, the labs and the man pages below PREFIX (/usr/local), in DESTDIR
	$(call msg,INSTALL,$(DESTDIR)$(PREFIX)/bin/trace)
	$(Q)install -D -m 755 $(TOP)trace $(DESTDIR)$(PREFIX)/bin/trace
	$(call msg,INSTALL,$(DESTDIR)$(PREFIX)/bin/lab)
	$(Q)install -D -m 755 $(TOP)lab $(DESTDIR)$(PREFIX)/bin/lab
	$(Q)for file in $$(find labs -path labs/print -prune -o -type f -print); do \
		mode=644; [ ! -x $$file ] || mode=755; \
		install -D -m $$mode $$file $(DESTDIR)$(PREFIX)/share/socklens/$$file; \
	done
	$(Q)for program in $(LABS:$(OUTPUT)/%=%); do \
		install -D -m 755 $(OUTPUT)/$$program $(DESTDIR)$(PREFIX)/lib/socklens/$$program; \
	done
	$(Q)for page in $(wildcard src/man/*.[18]); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; \
	done

.PHONY: clean
clean: ## remove everything that was built
	$(call msg,CLEAN,$(OUTPUT) $(TOP)trace $(TOP)lab)
	$(Q)rm -rf $(OUTPUT) $(TOP)trace $(TOP)lab

##@ Run
.PHONY: demo
demo: ## install what is needed, build, show a client and a server under ./trace (as root)
	$(need_root)
	$(Q).ci/install build labs
	$(Q).ci/as-owner $(MAKE) $(jobs) all labs
	$(Q)./trace -- labs/00-hello/run

.PHONY: handouts
handouts: ## print the labs for a class: handouts and an instructor's booklet, as HTML and PDF
	$(Q).ci/install handouts
	$(Q).ci/as-owner $(MAKE) $(jobs) printed
	@printf '%s\n' "$(HANDOUTS)/html, $(HANDOUTS)/a4 and $(HANDOUTS)/letter hold the handouts, and for teachers the booklet."

.PHONY: vm-shell
vm-shell: ## a root shell in an emulated machine, with ./trace and the labs (no root); K=6.1 for another kernel
	$(Q)tests/vm/shell $(K)

# Again with sanitizers: the unit tests, and the tests that mostly replay recordings.
WATCHED := $(UNIT_TESTS:$(OUTPUT)/%=$(SANITIZED)/%) \
	$(patsubst %,sanitized:tests/%.bats,cmd explain query check files vm-compare)
# What T asks for, or everything; a filter is for bats.
chosen = $(or $(T:tests/unit/%.c=$(OUTPUT)/tests/unit/%),$(if $(F),,$(sort $(UNIT_TESTS) $(WATCHED)) tests/fuzz/run) tests)

.PHONY: test
test: test-ready ## install what is needed, build, run every test (as root); T=tests/x.bats F='name' for one
	$(Q)FUZZ_SECONDS=$${FUZZ_SECONDS:-8} tests/run $(if $(F),-f '$(F)') $(chosen)

.PHONY: test-ready
test-ready:
	$(need_root)
	$(Q).ci/install build labs handouts test
	$(Q).ci/as-owner $(MAKE) $(jobs) test-programs $(filter $(UNIT_TESTS),$(chosen)) \
		$(if $(filter sanitized:% tests/fuzz/run,$(chosen)),sanitized)

.PHONY: unit
unit: $(UNIT_TESTS) ## build and run the unit tests (no root)
	$(Q)tests/run $(sort $(UNIT_TESTS))

.PHONY: labs-soak
labs-soak: ## test all labs, or lab L, N times over; count the failures of each (as root)
	$(need_root)
	$(Q).ci/as-owner $(MAKE) $(jobs) all
	$(Q)tests/labs-soak $(or $(N),20) $(L)

.PHONY: live
live: ## run the tests that trace the running kernel (as root)
	$(Q)$(MAKE) test T=tests/live

.PHONY: bench
bench: ## measure what tracing costs, beside other tracers (as root); QUICK=1 for a short run
	$(need_root)
	$(Q).ci/install build labs test bench
	$(Q).ci/as-owner $(MAKE) $(jobs) test-programs
	$(Q)tests/bench/run $(if $(QUICK),--quick)
	$(Q)$(if $(QUICK),,.ci/as-owner cp $(OUTPUT)/bench/RESULTS.md tests/bench/RESULTS.md)

.PHONY: vm
vm: vm-ready ## trace all scenarios and share out live tests on other kernels, emulated (as root); K=6.1-cloud for one
	$(Q)tests/run --tap tests/vm/run $(if $(SHORT),--short) $(K)

.PHONY: vm-ready
vm-ready:
	$(need_root)
	$(Q).ci/install build labs test vm
	$(Q).ci/as-owner $(MAKE) $(jobs) test-programs
	$(Q)for arch in $$(tests/vm/run --foreign $(K)); do .ci/as-owner $(MAKE) $(jobs) ARCH=$$arch test-programs; done
	$(Q)tests/vm/run --fetch $(K)

.PHONY: sanitized
sanitized: ## build for the tests what ASan, UBSan and libFuzzer watch (in .output/sanitized)
	$(Q)$(MAKE) OUTPUT=$(SANITIZED) TOP=$(SANITIZED)/ CC=$(CLANG) CFLAGS=-O1 ASAN=1 FUZZ=1 watched-programs

.PHONY: watched-programs
watched-programs: $(TOP)trace $(UNIT_TESTS) $(FUZZ_TARGETS)
	@:

.PHONY: fuzz
fuzz: sanitized ## feed the fuzz targets (no root); FUZZ_SECONDS=20 each, TARGETS=decode for some
	$(Q)tests/fuzz/run $(TARGETS)

.PHONY: test-programs
test-programs: $(TOP)trace $(TOP)lab $(LABS) $(TEST_PROGRAMS) $(WITNESSES)
	@:

##@ Develop
.PHONY: labs-record
labs-record: ## run the experiment of lab L, or of all, and keep it as its run.rec (as root)
	$(need_root)
	$(Q).ci/as-owner $(MAKE) $(jobs) all
	$(Q)for lab in $(or $(L),$(notdir $(patsubst %/run,%,$(wildcard labs/*/run)))); do \
		./lab run $$lab --record labs/$$lab/run.rec || exit; chmod 644 labs/$$lab/run.rec; \
	done

.PHONY: docs-update
docs-update: all ## write into the handouts what their commands print
	$(Q)tests/handout.py --update $(wildcard labs/*/README.md)

.PHONY: check
check: ## check who includes whom, and the scripts
	$(Q)tests/check-layers
	$(Q)if command -v shellcheck >/dev/null; then \
		grep -rlE '^#!.*(bash|sh)$$' .ci .githooks labs tests | xargs shellcheck; \
	else echo "shellcheck is not installed: scripts not checked" >&2; fi

.PHONY: format
format: ## format the C files in place
	$(Q)find bpf src labs tests -name '*.[ch]' -exec clang-format -i {} +

.PHONY: compile_commands.json
compile_commands.json: $(OUTPUT)/ ## tell editors how files are compiled (in .output/, see .clangd)
	$(Q){ sep='['; for f in $(SRCS) $(LAB_SRCS); do \
		printf '%s\n{"directory":"%s","file":"%s","command":"%s"}' "$$sep" '$(CURDIR)' "$$f" \
			'$(COMPILE) $(OURS) -c '"$$f"; sep=','; done; \
	printf ',\n{"directory":"%s","file":"bpf/trace.bpf.c","command":"%s"}\n]\n' '$(CURDIR)' \
		'$(BPF_COMPILE) -c bpf/trace.bpf.c'; } >$(OUTPUT)/$@

.PHONY: hooks
hooks: ## let git run .githooks/pre-commit
	$(Q)git config core.hooksPath .githooks

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^##@/ { print "\n" substr($$0, 5) } \
		/^[a-z_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' Makefile

# --- how things are built -------------------------------------------------------------------

# Says in one sentence what is missing, before a compiler would say it in many.
.PHONY: tools
tools: | $(SYSROOT)
	@missing=; \
	for tool in $(firstword $(CC)) $(CLANG) $(BPFTOOL) $(lastword $(PKG_CONFIG)); do \
		command -v $$tool >/dev/null 2>&1 || missing="$$missing $${tool##*/}"; \
	done; \
	[ -n "$$missing" ] || for lib in libbpf libelf zlib libcap sqlite3; do \
		$(PKG_CONFIG) --exists $$lib || missing="$$missing $$lib"; \
	done; \
	[ -z "$$missing" ] || { echo "Missing to build:$$missing. Install it with: $(DEPS)" >&2; exit 1; }

ifneq ($(CROSS),)
$(SYSROOT): | $(OUTPUT)/
	$(call msg,FETCH,$@)
	$(Q)root=$$(tests/vm/sysroot $(ARCH)) && ln -sfn "$$root" $@
endif

.PHONY: cmocka
cmocka: | tools
	@$(PKG_CONFIG) --exists cmocka || \
		{ echo "Missing to test: cmocka. Install it with: sudo make deps" >&2; exit 1; }

# A folder, wherever a rule names it with its slash as an order-only prerequisite.
.PRECIOUS: %/
%/:
	$(Q)mkdir -p $@

# Changes only when the way to compile does, and everything compiled depends on it.
.PHONY: FORCE
$(OUTPUT)/flags: FORCE | $(OUTPUT)/
	@echo '$(COMPILE) $(OURS) $(CLANG)' | cmp -s - $@ || echo '$(COMPILE) $(OURS) $(CLANG)' >$@

$(TOP)trace: $(OBJS)
	$(call msg,LINK,$@)
	$(Q)$(COMPILE) $(SANITIZE) $(LDFLAGS) $(WRAP) $^ $(STATIC_LIBS) -o $@

$(TOP)lab: $(LAB_OBJS) $(OUTPUT)/cmd.a $(OUTPUT)/core.a
	$(call msg,LINK,$@)
	$(Q)$(COMPILE) $(SANITIZE) $(LDFLAGS) $^ $(LAB_LIBS) -o $@

$(OUTPUT)/obj/%.o: src/%.c $(OUTPUT)/flags | tools $$(@D)/
	$(call msg,CC,$<)
	$(Q)$(COMPILE) $(OURS) -MMD -MP -c $< -o $@

# The first build must have the skeleton; later ones know from the dependency files who uses it.
$(filter $(OUTPUT)/obj/capture/%,$(OBJS)): | $(OUTPUT)/trace.skel.h

$(OUTPUT)/trace.tmp.bpf.o: bpf/trace.bpf.c $(OUTPUT)/flags | tools
	$(call msg,BPF,$<)
	$(Q)$(BPF_COMPILE) -MMD -MP -c $< -o $@

# Linking one object also drops its DWARF, so that no llvm-strip is needed.
$(OUTPUT)/trace.bpf.o: $(OUTPUT)/trace.tmp.bpf.o
	$(call msg,BPFLINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $<

$(OUTPUT)/trace.skel.h: $(OUTPUT)/trace.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name trace_bpf >$@

# The schema as a C string, one literal a line.
$(OUTPUT)/schema_json.c: src/render/schema.json | $(OUTPUT)/
	$(call msg,GEN,$@)
	$(Q){ echo 'extern const char schema_json[];'; echo 'const char schema_json[] ='; \
		sed -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $<; echo ';'; } >$@

$(OUTPUT)/obj/schema_json.o: $(OUTPUT)/schema_json.c $(OUTPUT)/flags | tools $$(@D)/
	$(call msg,CC,$<)
	$(Q)$(COMPILE) $(SANITIZE) -c $< -o $@

$(OUTPUT)/cmd.a: $(CMD_OBJS)
$(OUTPUT)/core.a: $(CORE_OBJS)
$(OUTPUT)/lab.a: $(filter-out %/main.o,$(LAB_OBJS))
$(OUTPUT)/cmd.a $(OUTPUT)/core.a $(OUTPUT)/lab.a:
	$(call msg,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(OUTPUT)/tests/unit/%: tests/unit/%.c $(OUTPUT)/lab.a $(OUTPUT)/core.a | cmocka $$(@D)/
	$(call msg,CC,$<)
	$(Q)$(COMPILE) $(OURS) -MMD -MP $< $(OUTPUT)/lab.a $(OUTPUT)/core.a $(CORE_LIBS) -lcmocka -o $@

# All but main(): a fuzz target calls sub-commands.
$(OUTPUT)/all.a: $(ALL_OBJS)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUTPUT)/tests/fuzz/%.o: tests/fuzz/%.c $(OUTPUT)/flags | $$(@D)/
	$(call msg,CC,$<)
	$(Q)$(COMPILE) $(OURS) -MMD -MP -c $< -o $@

$(FUZZ_TARGETS): %: %.o $(addprefix $(OUTPUT)/tests/fuzz/,fuzz.o mutate.o) $(OUTPUT)/all.a
	$(call msg,LINK,$@)
	$(Q)$(COMPILE) $(SANITIZE) -fsanitize=fuzzer $(WRAP) $^ $(ALL_LIBS) -o $@

# Handouts of the labs that are found, and the booklet about all of them. `labs/.` changes when a lab comes or goes.
HANDOUTS := $(OUTPUT)/handouts
LAB_FOLDERS := $(patsubst %/README.md,%,$(wildcard labs/[0-9][0-9]-*/README.md))
SHEETS := $(notdir $(LAB_FOLDERS)) booklet
PRINTED := $(SHEETS:%=$(HANDOUTS)/html/%.html) $(SHEETS:%=$(HANDOUTS)/a4/%.pdf) $(SHEETS:%=$(HANDOUTS)/letter/%.pdf)
PAGE := $(addprefix labs/print/,html page.html page.css page.lua)
PRINT := $(addprefix labs/print/,pdf browser)

.PHONY: printed
printed: $(PRINTED)
	@:

$(HANDOUTS)/html/booklet.html: labs/print/booklet labs/print/booklet.md labs/. $(PAGE) \
		$(wildcard $(foreach lab,$(LAB_FOLDERS),$(addprefix $(lab)/,README.md teach.md predict.md solution/*.c wrong/*.c))) \
		| $$(@D)/
	$(call msg,HTML,$@)
	$(Q)labs/print/html --booklet $(LAB_FOLDERS) >$@

$(HANDOUTS)/html/%.html: labs/%/README.md $(PAGE) | $$(@D)/
	$(call msg,HTML,$@)
	$(Q)labs/print/html labs/$* >$@

# The folder is the paper.
$(filter %.pdf,$(PRINTED)): $(HANDOUTS)/html/$$(basename $$(@F)).html $(PRINT) | $$(@D)/
	$(call msg,PDF,$@)
	$(Q)labs/print/pdf $(notdir $(@D)) $< $@

# Labs and programs under test: one file each, and nothing but the C library, or what LIBS names.
define program
	$(call msg,CC,$<)
	$(Q)$(COMPILE) -MMD -MP -pthread $< $(LIBS) -o $@
endef
$(OUTPUT)/tests/bench/hooks: LIBS = $(STATIC_LIBS)

$(LABS): $(OUTPUT)/%: %.c $(OUTPUT)/flags | tools $$(@D)/
	$(program)

$(TEST_PROGRAMS): $$(subst $(OUTPUT)/,,$$(@D))/progs/$$(@F).c $(OUTPUT)/flags | tools $$(@D)/
	$(program)

$(addsuffix .bpf.o,$(WITNESSES)): $(OUTPUT)/%.bpf.o: %.bpf.c $(OUTPUT)/flags | tools $$(@D)/
	$(call msg,BPF,$<)
	$(Q)$(BPF_COMPILE) -MMD -MP -c $< -o $@

$(addsuffix .skel.h,$(WITNESSES)): $(OUTPUT)/%.skel.h: $(OUTPUT)/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(notdir $*) >$@

$(WITNESSES): $(OUTPUT)/%: %.c $(OUTPUT)/%.skel.h $(OUTPUT)/flags
	$(call msg,CC,$<)
	$(Q)$(COMPILE) -I$(@D) -MMD -MP $< $(STATIC_LIBS) -o $@

-include $(OBJS:.o=.d) $(LAB_OBJS:.o=.d) $(OUTPUT)/trace.tmp.bpf.d $(addsuffix .d,$(LABS) $(UNIT_TESTS) $(TEST_PROGRAMS) $(WITNESSES) $(addsuffix .bpf,$(WITNESSES)) $(FUZZ_TARGETS)) \
	$(addprefix $(OUTPUT)/tests/fuzz/,fuzz.d mutate.d)
