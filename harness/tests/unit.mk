# Builds the harness's own tests in C: harness/tests/FOLDER/test_*.c, each with the code that it
# tests, under AddressSanitizer and UBSan. `make -f harness/tests/unit.mk FOLDER...`
#
# What a test links goes by its folder; one that needs more than floors 1 and 2 has a line here.

.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

T := build/tests
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
# -Wno-format-truncation: the sanitizers make gcc see lengths that cannot be (lint.mk builds the
# same without them).
CFLAGS := -std=gnu17 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wconversion -Werror \
  -Wno-format-truncation \
  -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined \
  -Iharness -Ilabs -MMD -MP
LIBS := -lcmocka -ljansson -lnettle -lseccomp

FLOOR_1 := $(wildcard harness/kernel/*.c harness/digest/*.c)
# The programs outer, inner and tree are started by the others, not linked.
FLOOR_2 := $(filter-out $(addprefix harness/sandbox/,outer.c inner.c tree.c),$(wildcard harness/sandbox/*.c))
# What runs a student's program in a sandbox; the fake labs of the grade tests run none.
RUNNING := $(addprefix harness/grade/,run.c payload.c needs.c world.c stuck.c crash.c facts.c)
GRADE := $(filter-out $(RUNNING) harness/grade/main.c,$(wildcard harness/grade/*.c))

sources_skeleton := $(filter-out harness/skeleton/main.c,$(wildcard harness/skeleton/*.c)) $(FLOOR_1)
sources_kernel := $(FLOOR_1)
sources_grade := $(GRADE) $(FLOOR_1)
sources_labs := solutions/01-process/process.c
sources_of = $(if $(filter undefined,$(origin sources_$(1))),$(FLOOR_2) $(FLOOR_1),$(sources_$(1)))
objects = $(patsubst %.c,$(T)/obj/%.o,$(1))

$(T)/obj/%.o: %.c harness/tests/unit.mk
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -c $< -o $@

FOLDERS := $(sort $(patsubst harness/tests/%/,%,$(dir $(wildcard harness/tests/*/test_*.c))))
define program_rule
$(T)/$(1)/$(2): $(call objects,harness/tests/$(1)/$(2).c $(wildcard harness/tests/$(1)/fake_run.c) $(call sources_of,$(1)))
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) $$^ -o $$@ $$(LIBS)
$(1): $(T)/$(1)/$(2)
endef
$(foreach test,$(wildcard harness/tests/*/test_*.c),$(eval $(call program_rule,$(notdir $(patsubst %/,%,$(dir $(test)))),$(basename $(notdir $(test))))))

# build/grade with labs whose verdicts are known, and one with no labs at all: grade.bats
FAKE := $(call objects,harness/tests/grade/fake_run.c harness/grade/main.c $(sources_grade))
$(T)/grade/grade: $(call objects,harness/tests/grade/fake_labs.c)
$(T)/grade/grade $(T)/grade/grade-without-labs: $(FAKE)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $^ -o $@ $(LIBS)
grade: $(T)/grade/grade $(T)/grade/grade-without-labs

# Fuzz targets, fed with what fuzzers found before: build/tests/kernel/fuzz/fuzz_NAME
FUZZ := $(filter-out %/fuzz_replay.c,$(wildcard harness/tests/*/fuzz/fuzz_*.c))
define fuzz_rule
$(T)/$(patsubst harness/tests/%.c,%,$(1)): $(call objects,$(1) harness/tests/kernel/fuzz/fuzz_replay.c $(FLOOR_1))
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) $$^ -o $$@ $$(LIBS)
fuzz: $(T)/$(patsubst harness/tests/%.c,%,$(1))
endef
$(foreach target,$(FUZZ),$(eval $(call fuzz_rule,$(target))))

.PHONY: all fuzz $(FOLDERS)
all: fuzz $(FOLDERS)
.DEFAULT_GOAL := all

-include $(shell find $(T) -name '*.d' 2>/dev/null)
