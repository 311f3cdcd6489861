# tools/lint/lint.mk: make lint; included by the Makefile.
#
# What is slow leaves a stamp under $(BUILD)/lint, which depends on the file,
# its headers and the rules: a second run looks only at what changed, and all
# of it runs with -j. `make -k lint` shows all that is wrong at once.

LINT      := $(BUILD)/lint$(if $(filter deep,$(TIDY_DEPTH)),-deep)
FORMATTED := $(ALL_SRC) $(HEADERS) $(FUZZ_SRC) $(BENCH_SRC) $(sort $(wildcard libteleport/*/*.bpf.c))
# A header that its own source file includes first compiles alone if that does:
# what is left is compiled here.
UNPROVEN  := $(if $(filter lint lint-%,$(MAKECMDGOALS)),$(shell \
               for header in $(HEADERS); do \
                 grep -sm1 '^.include' "$${header%.hpp}.cpp" | \
                   grep -qF "\"$$header\"" || echo "$$header"; done))
# SC1091: a sourced file's name is computed. SC2016: '...' holds a command for
# another shell, as the lab's scripts send them to the hosts. SC2317: functions
# that are called by a name in a variable look unreachable.
UNSHELL   := SC1091,SC2016,SC2317
# Flags that only g++ knows, or that clang does not need to read the code.
TIDY_FLAGS = $(CPPFLAGS) $(filter-out -Werror,$(TP_FLAGS)) -Wno-unknown-warning-option
# The analyzer's depth: shallow takes about a third of the time of deep on our
# larger files; `make lint TIDY_DEPTH=deep` now and then finds more.
TIDY_DEPTH ?= shallow
TIDY       := clang-tidy --quiet --extra-arg=-Xclang \
              --extra-arg=-analyzer-config --extra-arg=-Xclang \
              --extra-arg=mode=$(TIDY_DEPTH)

.PHONY: lint lint-format lint-layers lint-length lint-shell lint-tidy \
        lint-members lint-json lint-mutations lint-headers format
lint: lint-format lint-layers lint-length lint-members lint-json \
      lint-mutations lint-shell lint-headers lint-tidy
	$(Q)echo "lint: clean"

lint-format:
	$(call say,LINT,clang-format)
	$(Q)clang-format --dry-run -Werror $(FORMATTED)
# Not a check: puts the whole tree into the form that lint-format wants.
format:
	clang-format -i $(FORMATTED)
lint-layers:
	$(call say,LINT,$(@:lint-%=check-%))
	$(Q)tools/lint/check-layers
lint-length:
	$(call say,LINT,$(@:lint-%=check-%))
	$(Q)tools/lint/check-length
lint-members:
	$(call say,LINT,$(@:lint-%=check-%))
	$(Q)tools/lint/check-members
lint-json:
	$(call say,LINT,$(@:lint-%=check-%))
	$(Q)tools/lint/check-json
# The lines that `make mutate` removes are still there.
lint-mutations:
	$(call say,LINT,mutations)
	$(Q)test/mutate/run --check
lint-shell:
	$(call say,LINT,shellcheck)
	$(Q)tools/lint/tree-files --shell | xargs -d '\n' \
	  shellcheck --external-sources --source-path=SCRIPTDIR --exclude=$(UNSHELL)
lint-headers: $(addprefix $(BUILD)/,$(UNPROVEN:.hpp=.hpp.ok))
# Tests take as long again as the programs, for Catch2's headers: they are
# looked at with TIDY_TESTS=1. Catch2's main has nothing of ours in it.
TIDY_TESTS ?= 0
# TIDY_CHANGED=1 looks at what differs from the last landed commit alone, or
# from the commit TIDY_BASE.
TIDY_CHANGED ?= 0
TIDIED      := $(filter-out test/unit/main.cpp \
                 $(if $(filter 1,$(TIDY_TESTS)),,test/%), \
                 $(if $(filter 1,$(TIDY_CHANGED)), \
                   $(shell tools/lint/changed-sources $(TIDY_BASE)),$(ALL_SRC)))
# Those of the product in groups, each test by itself.
TIDY_GROUPS := $(if $(filter lint lint-tidy,$(MAKECMDGOALS)),$(shell \
                 tools/lint/tidy-groups $(filter-out test/%,$(TIDIED))))
lint-tidy: $(foreach g,$(TIDY_GROUPS),$(LINT)/$(firstword $(subst =, ,$(g))).group) \
           $(patsubst %,$(LINT)/%.tidy,$(filter test/%,$(TIDIED)))

# The rule is in the Makefile; this makes its stamp know the headers below.
$(BUILD)/%.hpp.ok: CPPFLAGS += -MMD -MP -MT $@ -MF $@.d

comma_list = $(subst $(comma), ,$(lastword $(subst =, ,$(1))))
$(foreach g,$(TIDY_GROUPS),$(eval $(LINT)/$(firstword $(subst =, ,$(g))).group: \
  $(call comma_list,$(g))))
# Not from the prerequisites: those of an earlier run, in its .d, are others.
$(foreach g,$(TIDY_GROUPS),$(eval $(LINT)/$(firstword $(subst =, ,$(g))).group: \
  TIDY_SOURCES := $(call comma_list,$(g))))
$(LINT)/%.group: .clang-tidy tools/lint/tidy tools/lint/lint.mk | $(SKELETONS)
	$(call say,TIDY,$(TIDY_SOURCES))
	$(Q)mkdir -p $(@D)
	$(Q)printf '#include "%s"\n' $(TIDY_SOURCES) >$@.cpp
	$(Q)$(CXX) $(CPPFLAGS) $(TP_FLAGS) -MM -MP -MT $@ -MF $@.d $@.cpp
	$(Q)TIDY_DEPTH=$(TIDY_DEPTH) tools/lint/tidy $(TIDY_SOURCES) -- $(TIDY_FLAGS)
	$(Q)touch $@
$(LINT)/%.tidy: % .clang-tidy test/.clang-tidy tools/lint/lint.mk | $(SKELETONS)
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(CPPFLAGS) $(TP_FLAGS) -MM -MP -MT $@ -MF $@.d $<
	$(Q)$(TIDY) $< -- $(TIDY_FLAGS) >$@.log 2>&1 || \
	  { grep -v ' warnings\? generated\.$$' $@.log; exit 1; }
	$(Q)touch $@

-include $(TEST_SRC:%=$(LINT)/%.tidy.d) $(wildcard $(LINT)/*/*.group.d $(LINT)/*/*/*.group.d) \
         $(HEADERS:%=$(BUILD)/%.ok.d)
