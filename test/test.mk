# test/test.mk: what is checked and how; included by the Makefile.
#   make test       everything, the emulated Xen hosts included
#   make check      the same without them; T='[wire]' picks unit tests
#   make fuzz FUZZ_SECONDS=60     look for new inputs that break a decoder
#   make fuzz-replay              only those already found (part of check)

T            ?=
FUZZ_SECONDS ?= 60
FUZZERS      := $(patsubst test/fuzz/%.cpp,%,$(wildcard test/fuzz/fuzz_*.cpp))
RUN_ALL       = BUILD='$(BUILD)' SAN='$(SAN)' T='$(T)' test/run-all

.PHONY: fuzz-binaries fuzz-replay
test:
	$(Q)+$(RUN_ALL)
check:
	$(Q)+$(RUN_ALL) --no-lab
demo: deps
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)test/xen/demo

# libFuzzer is clang's and wants all it looks into compiled with it: the same
# Makefile once more, into a folder of its own. Only the parts that decode what
# others wrote are linked; none of them knows Asio or Xen.
FUZZ_BUILD := build-fuzz
FUZZ_CXX   := clang++
FUZZ_MAKE   = $(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CXX=$(FUZZ_CXX) \
              SAN=fuzzer-no-link,address,undefined CXXFLAGS='-O1 -g' \
              CPPFLAGS=-Wno-unknown-warning-option WERROR=
FUZZ_LIB   := $(filter-out libteleport/net/% libteleport/xen/%,$(LIB_SRC)) \
              $(INDEX_SRC)
fuzz: deps
	$(Q)+$(FUZZ_MAKE) fuzz-binaries
	$(Q)test/run-fuzz $(FUZZ_BUILD) $(FUZZ_SECONDS) $(FUZZERS)
fuzz-replay:
	$(Q)+$(FUZZ_MAKE) fuzz-binaries
	$(Q)test/run-fuzz $(FUZZ_BUILD) 0 $(FUZZERS)
fuzz-binaries: $(FUZZERS:%=$(BUILD)/test/fuzz/%)
$(BUILD)/libfuzzed.a: $(call obj,$(FUZZ_LIB))
$(BUILD)/test/fuzz/fuzz_%: $(BUILD)/test/fuzz/fuzz_%.o $(BUILD)/libfuzzed.a
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) -fsanitize=fuzzer $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PRECIOUS: $(BUILD)/test/fuzz/%.o

-include $(FUZZERS:%=$(BUILD)/test/fuzz/%.d)
