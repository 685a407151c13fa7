# A stamp for every C file that gcc and clang-tidy have nothing to say about: build/tests/lint/FILE.gcc
# and .tidy. What they do say is in FILE.gcc.log and so on. clang-tidy says what clang would, so clang
# by itself is asked only about the variants of the corpus (.clang), where style is not the point.
# (Any header may change any file's verdict, so all of them are looked at again when one does.)

.SUFFIXES:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

T := build/tests/lint
# Half-done skeletons are the student's affair (labs/NN-name/LAYER.c, of the name of a solution).
STUDENTS := $(patsubst solutions/%,labs/%,$(wildcard solutions/*/*.c))
FILES := $(filter-out $(STUDENTS),$(shell find harness labs solutions -name '*.c' ! -path '*/fixtures/*'))
VARIANTS := $(filter harness/corpus/%,$(FILES))
OURS := $(filter-out $(VARIANTS),$(FILES))
HEADERS := $(shell find harness labs -name '*.h')
FLAGS := -std=gnu17 -D_GNU_SOURCE
WARN := -O2 -Wall -Wextra -Wconversion -Werror
# clang's analyzer follows a function's paths up to so many states: the default, 225000, takes three
# times as long for all files together. DEEP=1 has it.
ANALYZE := $(if $(DEEP),,-Xclang -analyzer-config -Xclang max-nodes=40000)
# Student code sees labs/, the harness sees harness/; neither sees the other.
include_of = $(if $(filter labs/% solutions/% harness/corpus/% harness/tests/labs/%,$(1)),-Ilabs,-Iharness)

define rules
$(T)/$(1).gcc: $(1) $(HEADERS)
	@mkdir -p $$(@D)
	@gcc $(FLAGS) $(WARN) $(call include_of,$(1)) -c $$< -o /dev/null >$$@.log 2>&1 && touch $$@
$(T)/$(1).clang: $(1) $(HEADERS)
	@mkdir -p $$(@D)
	@clang $(FLAGS) $(WARN) $(call include_of,$(1)) -fsyntax-only $$< >$$@.log 2>&1 && touch $$@
$(T)/$(1).tidy: $(1) $(HEADERS) .clang-tidy
	@mkdir -p $$(@D)
	@clang-tidy --quiet $$< -- $(FLAGS) $(WARN) $(ANALYZE) $(call include_of,$(1)) >$$@.log 2>&1 && touch $$@
endef
$(foreach file,$(FILES),$(eval $(call rules,$(file))))

.PHONY: all list
STAMPS := $(FILES:%=$(T)/%.gcc) $(VARIANTS:%=$(T)/%.clang) $(OURS:%=$(T)/%.tidy)
all: $(STAMPS)
.DEFAULT_GOAL := all
list:
	@printf '%s\n' $(STAMPS)
