# test/test.mk: what is checked and how; included by the Makefile.
#   make test       everything, the emulated Xen hosts included
#   make check      the same without them; T='[wire]' picks unit tests
#   make test-releases   the unit tests on the other releases of Debian; root
#   make golden     writes golden files of a new version; never over one
#   make mutate     would a test see it if a line that safety rests on was gone?
#   make race-tests      unit tests and test/whole under ThreadSanitizer
#   make fuzz FUZZ_SECONDS=60     look for new inputs that break a decoder
#   make fuzz-replay              only those already found (part of check)

T            ?=
FUZZ_SECONDS ?= 60
FUZZERS      := $(patsubst test/fuzz/%.cpp,%,$(wildcard test/fuzz/fuzz_*.cpp))
RUN_ALL       = BUILD='$(BUILD)' SAN='$(SAN)' T='$(T)' test/run-all

.PHONY: golden mutate test-releases sanitized-tests race-tests fuzz-binaries fuzz-replay
test:
	$(Q)+$(RUN_ALL)
check:
	$(Q)+$(RUN_ALL) --no-lab
test-releases: deps
	$(Q)test/run-releases
# Writes the golden files that are not there yet; never one that is.
golden: $(BUILD)/test/programs/write-golden
	$(Q)$<
# Before a release: each line on which safety rests is removed, and a test must
# fail; MUTATE='durable wire' picks some. test/mutate/run says more.
MUTATE ?=
mutate: deps
	$(Q)test/mutate/run $(MUTATE)
demo: deps
	$(Q)test/xen/demo

# libFuzzer is clang's and wants all it looks into compiled with it: the same
# Makefile once more, into a folder of its own. Its instrumentation costs next to
# nothing, and clang with sanitizers takes half as long as g++: so the unit tests
# that run sanitized are built in the same way, from the same objects.
SANITIZED   := build-sanitized
SANITIZE     = $(MAKE) --no-print-directory BUILD=$(SANITIZED) CXX=clang++ \
               SAN=fuzzer-no-link,address,undefined CXXFLAGS='-O1 -g1' \
               CPPFLAGS=-Wno-unknown-warning-option WERROR=
sanitized-tests:
	$(Q)+$(SANITIZE) tests
# Hours: not part of `make test`. clang++, as above; RACES names tests of
# test/whole, all but the soak by default.
RACES ?=
race-tests:
	$(Q)+$(MAKE) --no-print-directory BUILD=build-thread CXX=clang++ SAN=thread \
	  CXXFLAGS='-O1 -g1' CPPFLAGS=-Wno-unknown-warning-option WERROR= \
	  tests whole-programs
	$(Q)test/run-races build-thread $(RACES)
FUZZ_LIB    := $(LIB_SRC) $(INDEX_SRC) $(call room_src,xl-teleport/setup)
fuzz: deps
	$(Q)+$(SANITIZE) fuzz-binaries
	$(Q)test/run-fuzz $(SANITIZED) $(FUZZ_SECONDS) $(FUZZERS)
fuzz-replay:
	$(Q)+$(SANITIZE) fuzz-binaries
	$(Q)test/run-fuzz $(SANITIZED) 0 $(FUZZERS)
fuzz-binaries: $(FUZZERS:%=$(BUILD)/test/fuzz/%)
$(BUILD)/libfuzzed.a: $(call obj,$(FUZZ_LIB))
$(BUILD)/test/fuzz/fuzz_%: $(BUILD)/test/fuzz/fuzz_%.o $(BUILD)/libfuzzed.a
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) -fsanitize=fuzzer $(CXXFLAGS) $(LDFLAGS) -o $@ \
	  $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

$(BUILD)/test/fuzz/fuzz_course: $(BUILD)/test/support/destination_rules.o \
  $(BUILD)/test/support/source_rules.o
.PRECIOUS: $(BUILD)/test/fuzz/%.o

include test/whole/whole.mk

-include $(FUZZERS:%=$(BUILD)/test/fuzz/%.d)
