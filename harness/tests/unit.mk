# Builds the harness's own tests in C: harness/tests/FOLDER/test_*.c, each with the code that it
# tests, under AddressSanitizer and UBSan. `make -f harness/tests/unit.mk FOLDER...`
#
# Each room of the harness becomes an archive, of which the linker takes what a test asks for; the
# fake_*.c beside a test stand in for what runs students' programs, and for graders.

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
LIBS := -lcmocka -larchive -ljansson -lnettle -lseccomp

# A test sees the rooms up to its own floor.
rooms_kernel := kernel
rooms_skeleton := skeleton kernel
rooms_labs :=
rooms_vm := vm kernel
rooms_of = $(if $(filter undefined,$(origin rooms_$(1))),grade vm sandbox kernel,$(rooms_$(1)))
archives_of = $(patsubst %,$(T)/%.a,$(call rooms_of,$(1)))
objects = $(patsubst %.c,$(T)/obj/%.o,$(1))

$(T)/obj/%.o: %.c harness/tests/unit.mk
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -c $< -o $@

sources_kernel := $(wildcard harness/kernel/*.c harness/digest/*.c)
sources_sandbox := $(wildcard harness/sandbox/*.c)
sources_grade := $(filter-out %/main.c,$(wildcard harness/grade/*.c))
sources_vm := $(filter-out %/main.c %/init.c %/machine.c %/pack.c,$(wildcard harness/vm/*.c))
sources_skeleton := $(filter-out %/main.c,$(wildcard harness/skeleton/*.c))
define archive_rule
$(T)/$(1).a: $(call objects,$(sources_$(1)))
	@rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach room,kernel sandbox vm grade skeleton,$(eval $(call archive_rule,$(room))))

# What a test links besides: the layer under test, or a stand-in.
beside = $(if $(filter labs,$(1)),solutions/01-process/process.c solutions/10-seccomp/filter.c \
  labs/10-seccomp/given_profile.c) $(wildcard harness/tests/$(1)/fake_*.c)

FOLDERS := $(sort $(patsubst harness/tests/%/,%,$(dir $(wildcard harness/tests/*/test_*.c))))
define program_rule
$(T)/$(1)/$(2): $(call objects,harness/tests/$(1)/$(2).c $(call beside,$(1))) $(call archives_of,$(1))
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) $$^ -o $$@ $$(LIBS)
$(1): $(T)/$(1)/$(2)
endef
$(foreach test,$(wildcard harness/tests/*/test_*.c),$(eval $(call program_rule,$(notdir $(patsubst %/,%,$(dir $(test)))),$(basename $(notdir $(test))))))

# build/grade with labs whose verdicts are known, and one with no labs at all: grade.bats
FAKE := $(call objects,harness/tests/grade/fake_run.c harness/grade/main.c)
$(T)/grade/grade: $(call objects,harness/tests/grade/fake_labs.c)
$(T)/grade/grade $(T)/grade/grade-without-labs: $(FAKE) $(call archives_of,grade)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $^ -o $@ $(LIBS)
grade: $(T)/grade/grade $(T)/grade/grade-without-labs

# Fuzz targets, fed with what fuzzers found before: build/tests/kernel/fuzz/fuzz_NAME
FUZZ := $(filter-out %/fuzz_replay.c,$(wildcard harness/tests/*/fuzz/fuzz_*.c))
define fuzz_rule
$(T)/$(patsubst harness/tests/%.c,%,$(1)): $(call objects,$(1) harness/tests/kernel/fuzz/fuzz_replay.c) $(T)/kernel.a
	@mkdir -p $$(@D)
	@$$(CC) $$(CFLAGS) $$^ -o $$@ $$(LIBS)
fuzz: $(T)/$(patsubst harness/tests/%.c,%,$(1))
endef
$(foreach target,$(FUZZ),$(eval $(call fuzz_rule,$(target))))

.PHONY: all fuzz $(FOLDERS)
all: fuzz $(FOLDERS)
.DEFAULT_GOAL := all

-include $(shell find $(T) -name '*.d' 2>/dev/null)
