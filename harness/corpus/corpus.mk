# How wrong solutions (mutants), other right ones (variants) and half-done ones (skeletons) become
# programs: build/corpus/LAB/KIND/NAME/labNN, with everything but the lab's own layer from
# solutions/. Included by the Makefile; harness/corpus/run.sh names the goals.

CORPUS := $(B)/corpus

# $(1): the lab. All that its program links but the layer in question.
rest_of = $(B)/obj/labs/$(1)/main.o $(patsubst %.c,$(B)/obj/%.o,$(wildcard labs/given/*.c)) \
  $(patsubst %.c,$(B)/obj/%.o,$(foreach k,$(call up_to,$(1)),$(call given_of,$(k)))) \
  $(patsubst %,$(B)/layer/solutions/%.o,$(filter-out $(1),$(call up_to,$(1))))

# $(1): the lab, $(2): its number, $(3): its layer, $(4): the kind, $(5): the source beside the
# solution. A build that fails leaves no program, and its reason in build.log, for the judge.
define corpus_rule
$(CORPUS)/$(1)/$(4)/%/lab$(2): $(5) solutions/$(1)/$(3).c $(call rest_of,$(1)) $(B)/symbols/$(1) $(B)/skeleton harness/corpus/build.sh
	@CC="$$(CC)" OBJCOPY="$$(OBJCOPY)" CFLAGS="$$(LAB_CFLAGS) $$(WARN) -Werror" LIBS="$(call libs_of,$(1))" \
	  sh harness/corpus/build.sh $(4) $$* $(1) $(3) $$@ $(call rest_of,$(1))
endef
define corpus_rules
$(call corpus_rule,$(1),$(2),$(3),mutants,harness/corpus/$(1)/mutants/%.patch)
$(call corpus_rule,$(1),$(2),$(3),variants,harness/corpus/$(1)/variants/%.c)
$(call corpus_rule,$(1),$(2),$(3),skeletons,)
endef
$(foreach lab,$(LABS),$(eval $(call corpus_rules,$(lab),$(firstword $(subst -, ,$(lab))),$(call layer_of,$(lab)))))

.PHONY: corpus-tools
corpus-tools: $(TOOLS) $(B)/skeleton
