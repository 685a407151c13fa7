# Strata: `make help` lists the verbs. docs/architecture.md tells how the parts fit together.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DEFAULT_GOAL := board
.DELETE_ON_ERROR:

CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
OBJCOPY ?= objcopy
SRC ?= labs
SHELL := /bin/sh
# TRACK=NAME: the labs and steps of a class that has not the time for all (harness/tracks).
TRACKS := $(notdir $(wildcard harness/tracks/*))
$(if $(filter-out $(TRACKS),$(TRACK)),$(error TRACK is one of: $(TRACKS); not "$(TRACK)"))
$(if $(filter-out labs solutions,$(SRC)),$(error SRC is labs or solutions, not "$(SRC)"))

# Where things are built. `make asan05` builds the labs a second time, in a folder of their own.
B := build
Q := $(if $(V),,@)
L := $(B)$(if $(ASAN),/asan)

comma := ,
SANITIZE := $(if $(ASAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=undefined)
WARN := -Wall -Wextra -Wconversion
OURS := $(WARN) $(if $(WERROR),-Werror)
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(CFLAGS) -MMD -MP
LAB_CFLAGS = -std=gnu17 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer $(SANITIZE) -Ilabs -MMD -MP

# --- what there is ------------------------------------------------------------------------------
# Every list is found by looking: adding a lab adds files and edits nothing here.

LABS := $(sort $(notdir $(wildcard labs/[0-9][0-9]-*)))
NUMBERS := $(foreach lab,$(LABS),$(firstword $(subst -, ,$(lab))))
lab_of = $(filter $(1)-%,$(LABS))
up_to = $(foreach lab,$(LABS),$(if $(filter $(firstword $(sort $(lab) $(1))),$(lab)),$(lab)))
# A lab's layer bears the name of its contract: labs/05-pivot-root/root.h -> root
layer_of = $(basename $(notdir $(filter-out labs/$(1)/given_%,$(wildcard labs/$(1)/*.h))))
given_of = $(filter labs/$(1)/given_%,$(wildcard labs/$(1)/*.c))
# Programs beside the lab's own, like the escape of lab 05.
extras_of = $(filter-out main $(call layer_of,$(1)) given_%,$(basename $(notdir $(wildcard labs/$(1)/*.c))))
# What a lab links besides the C library: labs/NN-name/libs, and that of the labs before it.
libs_of = $(shell cat /dev/null $(wildcard $(patsubst %,labs/%/libs,$(call up_to,$(1)))))

SANDBOX_PROGRAM := outer inner inner_groups start tree message command ids groupfs
OBJ = $(patsubst %.c,$(B)/obj/%.o,$(1))
FLOOR_1 := $(call OBJ,$(wildcard harness/kernel/*.c harness/digest/*.c))
FLOOR_2 := $(call OBJ,$(filter-out harness/sandbox/outer.c harness/sandbox/inner.c harness/sandbox/inner_groups.c harness/sandbox/start.c harness/sandbox/tree.c,$(wildcard harness/sandbox/*.c)))
GUEST := $(call OBJ,$(filter-out harness/vm/main.c harness/vm/init.c harness/vm/machine.c harness/vm/pack.c harness/vm/vmlinux.c,$(wildcard harness/vm/*.c)))
FLOOR_3 := $(call OBJ,$(wildcard harness/grade/*.c))
FLOOR_4 := $(call OBJ,$(wildcard harness/graders/*.c))
PROBE := $(wildcard harness/probe/*.c)

TOOLS := $(B)/grade $(B)/sandbox $(B)/inside $(B)/probe $(B)/busybox $(B)/rootfs.tar $(B)/pack $(B)/guest-init

# Before the first thing is built: what this machine lacks is named, rather than left to a compiler
# to stumble over. Costs some milliseconds: setup.sh keeps a stamp.
.PHONY: needs
needs:
	@sh harness/setup/setup.sh --check --quiet

# --- the harness --------------------------------------------------------------------------------

$(B)/obj/harness/%.o: harness/%.c Makefile | needs
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(OURS) -Iharness -c $< -o $@

# Linked under another name and then renamed: somebody may be running the old one right now.
$(B)/sandbox: $(call OBJ,$(SANDBOX_PROGRAM:%=harness/sandbox/%.c))
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@.new && chmod 755 $@.new && mv -f $@.new $@

$(B)/inside: $(call OBJ,harness/inside/main.c) $(FLOOR_2) $(FLOOR_1)
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@.new -lnettle && mv -f $@.new $@

$(B)/grade: $(FLOOR_4) $(FLOOR_3) $(GUEST) $(FLOOR_2) $(FLOOR_1)
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@.new -lcmocka -larchive -ljansson -lnettle -lseccomp && mv -f $@.new $@

# The guest: what makes its image, its PID 1, and guests by hand.
$(B)/pack: $(call OBJ,harness/vm/pack.c harness/vm/vmlinux.c harness/vm/cpio.c) $(FLOOR_1)
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@ -larchive -lnettle

$(B)/guest-init: $(call OBJ,harness/vm/init.c harness/vm/machine.c harness/vm/frame.c)
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@ -lnettle

$(B)/guest: $(call OBJ,harness/vm/main.c) $(GUEST) $(FLOOR_1)
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@ -lnettle

# Static: it runs in roots that hold nothing else.
$(B)/probe: $(call OBJ,$(PROBE))
	$(Q)$(CC) $(ALL_CFLAGS) -static $^ -o $@.new && chmod 755 $@.new && mv -f $@.new $@

$(B)/skeleton: $(call OBJ,$(wildcard harness/skeleton/*.c)) $(FLOOR_1)
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@ -lnettle

$(B)/watch: $(call OBJ,$(wildcard harness/watch/*.c))
	$(Q)$(CC) $(ALL_CFLAGS) $^ -o $@

$(B)/rootfs.tar: $(shell find rootfs -type f) | needs
	@mkdir -p $(@D)
	$(Q)sh rootfs/build.sh $@

$(B)/busybox: rootfs/find-busybox.sh | needs
	@mkdir -p $(@D)
	$(Q)cp "$$(sh rootfs/find-busybox.sh)" $@.tmp && chmod 755 $@.tmp && mv $@.tmp $@

# --- the labs -----------------------------------------------------------------------------------

$(L)/obj/labs/%.o: labs/%.c Makefile | needs
	@mkdir -p $(@D)
	$(Q)$(CC) $(LAB_CFLAGS) $(OURS) -c $< -o $@

# The names that a layer may show to other layers: those of its contract.
define symbols_rule
$(B)/symbols/$(1): labs/$(1)/$(2).h Makefile
	@mkdir -p $$(@D)
	@sed -n 's/^[a-z].*[ *]\([a-z_][a-z_0-9]*\)(.*/\1/p' $$< >$$@
endef
$(foreach lab,$(LABS),$(eval $(call symbols_rule,$(lab),$(call layer_of,$(lab)))))

# $(1): labs or solutions, $(2): the lab, $(3): the layer's name. A layer is one object, and all but
# its contract is local to it.
define layer_rule
$(L)/layer/$(1)/$(2).o: $(1)/$(2)/$(3).c $(B)/symbols/$(2) Makefile | needs
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LAB_CFLAGS) $$(if $$(filter solutions,$(1)),$$(OURS),$$(WARN)) -MT $$@ -c $$< -o $$@.tmp \
	  || { echo "$(1)/$(2)/$(3).c does not compile yet: begin with the first error above."; exit 1; } >&2
	@$$(OBJCOPY) --keep-global-symbols=$(B)/symbols/$(2) $$@.tmp $$@ && rm -f $$@.tmp
endef
$(foreach lab,$(LABS),$(foreach src,labs solutions,$(eval $(call layer_rule,$(src),$(lab),$(call layer_of,$(lab))))))

# Whose earlier layers a program links: the student's own once its lab has passed, the reference
# until then. LAYERS=mine|solutions|05=solutions,07=mine says otherwise.
override_for = $(lastword $(subst =, ,$(filter $(1)=%,$(subst $(comma), ,$(LAYERS)))))
whose = $(strip $(or $(patsubst mine,labs,$(call override_for,$(firstword $(subst -, ,$(1))))),\
  $(patsubst mine,labs,$(filter mine solutions,$(LAYERS))),\
  $(if $(filter $(1),$(PASSED)),labs,solutions)))
# $(1): src, $(2): lab. The own layer from src; with SRC=solutions all of them.
objects_of = $(foreach k,$(call up_to,$(2)),$(L)/layer/$(if $(filter $(k),$(2)),$(1),$(if $(filter solutions,$(1)),solutions,$(call whose,$(k))))/$(k).o)
borrowed_by = $(strip $(foreach k,$(filter-out $(1),$(call up_to,$(1))),$(if $(filter solutions,$(call whose,$(k))),$(k))))

# Which labs have passed with the very file that lies there now. Made anew when that may have
# changed; make starts over with it.
LINKING := check programs $(B)/% $(foreach verb,lab shell debug trace break asan,$(NUMBERS:%=$(verb)%))
ifneq ($(filter $(LINKING),$(MAKECMDGOALS)),)
ifeq ($(filter solutions,$(SRC)),)
-include $(B)/passed.mk
$(B)/passed.mk: $(B)/grade $(wildcard .progress/passed) $(wildcard $(foreach lab,$(LABS),labs/$(lab)/$(call layer_of,$(lab)).c))
	@printf 'PASSED := %s\n' "$$($(B)/grade --standings | sed -n 's/^\([^ ]*\) .*passed.*/\1/p' | tr '\n' ' ')" >$@.tmp && mv $@.tmp $@
endif
endif

GIVEN := $(patsubst %.c,$(L)/obj/%.o,$(wildcard labs/given/*.c))
define program_rule
$(L)/$(1)/$(3)/lab$(3): $(L)/obj/labs/$(2)/main.o $(GIVEN) $(patsubst %.c,$(L)/obj/%.o,$(foreach k,$(call up_to,$(2)),$(call given_of,$(k)))) $(call objects_of,$(1),$(2)) $(L)/$(1)/$(3)/linked
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(LAB_CFLAGS) $$(filter %.o,$$^) -o $$@ $(call libs_of,$(2))
# Changes only when the choice of layers does.
$(L)/$(1)/$(3)/linked: FORCE
	@mkdir -p $$(@D); echo "$(call objects_of,$(1),$(2))" | cmp -s - $$@ || echo "$(call objects_of,$(1),$(2))" >$$@
endef
$(foreach lab,$(LABS),$(foreach src,labs solutions,$(eval $(call program_rule,$(src),$(lab),$(firstword $(subst -, ,$(lab)))))))

define extra_rule
EXTRAS += $(B)/extra/$(2)
$(B)/extra/$(2): labs/$(1)/$(2).c | needs
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CFLAGS) $$(OURS) -MF $$@.d -Ilabs -static $$< -o $$@
endef
$(foreach lab,$(LABS),$(foreach extra,$(call extras_of,$(lab)),$(eval $(call extra_rule,$(lab),$(extra)))))

include harness/corpus/corpus.mk

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: FORCE
FORCE:

# --- verbs for students -------------------------------------------------------------------------

export VM SEED PLAIN NO_COLOR STEP TIER YES LAB ARGS WATCH_POLL TRACK
GRADE = $(B)/grade --src $(SRC) $(if $(STEP),--step "$(STEP)") $(if $(TRACK),--track $(TRACK)) $(if $(filter solutions,$(SRC)),--no-progress --report $(B)/report-solutions)

.PHONY: board help setup doctor check watch clean skeletons test corpus matrix demo vm bake
board:
	@SHOWN="$(CHECKED)" sh harness/verbs/board.sh

help:
	@sh harness/verbs/help.sh

LAB_GOALS := $(NUMBERS:%=lab%)
.PHONY: $(LAB_GOALS)
$(foreach n,$(NUMBERS),$(eval lab$(n): $(L)/$(SRC)/$(n)/lab$(n)))
$(LAB_GOALS): lab%: $(TOOLS)
	@$(if $(ASAN),STRATA_ASAN=1) $(GRADE) $(if $(filter labs,$(SRC)),--borrowed "$(call borrowed_by,$(call lab_of,$*))") $(if $(ASAN),--program $(L)/$(SRC)/$*/lab$*) $*

# Every other verb is a script: harness/verbs/VERB.sh NN, and what it needs to be built.
# The experiments of break05 are about finished layers: yours once they have passed.
src_for = $(if $(filter break,$(1)),$(if $(filter solutions,$(SRC)),solutions,$(call whose,$(2))),$(SRC))
IN_SANDBOX := shell debug trace break
VERBS := $(IN_SANDBOX) hint diff reset
built_for = $(if $(filter hint,$(1)),$(B)/grade,$(if $(filter diff,$(1)),$(B)/grade $(B)/skeleton,$(B)/skeleton))
define verb_rule
.PHONY: $(1)$(3)
$(1)$(3): $(if $(filter $(IN_SANDBOX),$(1)),$(L)/$(call src_for,$(1),$(2))/$(3)/lab$(3) $(TOOLS) $(EXTRAS),$(call built_for,$(1)))
	@SRC=$(call src_for,$(1),$(2)) BUILD=$(L) sh harness/verbs/$(1).sh $(3)
endef
$(foreach verb,$(VERBS),$(foreach lab,$(LABS),$(eval $(call verb_rule,$(verb),$(lab),$(firstword $(subst -, ,$(lab)))))))

.PHONY: $(NUMBERS:%=asan%)
$(NUMBERS:%=asan%): asan%:
	@$(MAKE) ASAN=1 lab$*; status=$$?; SRC=$(SRC) BUILD=$(B)/asan sh harness/verbs/asan.sh $*; exit $$status

# On a track: the labs that it grades.
CHECKED := $(if $(TRACK),$(filter $(NUMBERS),$(shell sed -n 's/^[0-9]* *lab\([0-9]*\) .*/\1/p' \
  harness/tracks/$(TRACK))),$(NUMBERS))
check: $(TOOLS) $(foreach n,$(CHECKED),$(L)/$(SRC)/$(n)/lab$(n))
	@$(GRADE) $(CHECKED)

watch: $(TOOLS) $(B)/watch
	@sh harness/verbs/watch.sh

vm: $(TOOLS) $(B)/guest $(foreach n,$(NUMBERS),$(L)/$(SRC)/$(n)/lab$(n)) $(EXTRAS)
	@SRC=$(SRC) sh harness/verbs/vm.sh

setup:
	@sh harness/setup/setup.sh
	@sh harness/vm/setup.sh

doctor:
	@sh harness/verbs/doctor.sh

skeletons: $(B)/skeleton
	@sh harness/verbs/skeletons.sh

clean:
	rm -rf $(B)

# --- verbs for instructors and for ourselves ----------------------------------------------------

bake:
	@MAKE="$(MAKE)" sh harness/verbs/bake.sh

demo:
	@sh harness/verbs/demo.sh

test:
	@MAKE="$(MAKE)" sh harness/tests/run.sh

corpus:
	@MAKE="$(MAKE)" sh harness/corpus/run.sh

matrix:
	@sh harness/verbs/matrix.sh

.PHONY: tools programs
tools: $(TOOLS) $(B)/guest $(B)/skeleton $(B)/watch $(EXTRAS)
programs: $(foreach n,$(NUMBERS),$(L)/$(SRC)/$(n)/lab$(n))

# What is no verb, or a verb without its lab.
.DEFAULT:
	@sh harness/verbs/unknown.sh "$@"
