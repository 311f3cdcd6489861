# test/bench/bench.mk: make bench: how fast and how large the index is; included
# by the Makefile. Numbers, never pass or fail: they end in test/bench/RESULTS.md.
#   make bench                       everything: hours on a busy machine
#   make bench BENCH='scan lookup'   some parts; test/bench/run says which
BENCH     ?=
BENCH_SRC := $(sort $(wildcard test/bench/*.cpp))
# A program's main() lives in the file that carries its name.
BENCH_PROGS := $(addprefix $(BUILD)/test/bench/,index-bench tracker-bench)

# Programs of one file each, which need nothing of ours.
WAN_PROGS := $(patsubst test/bench/%.cpp,$(BUILD)/test/bench/%,$(wildcard test/bench/wan_*.cpp))
.PHONY: bench-programs
bench: bench-programs whole-programs all
	$(Q)tools/install-deps --bench
	$(Q)test/bench/run $(BUILD) $(BENCH)
bench-programs: $(BENCH_PROGS) $(WAN_PROGS)
$(BUILD)/test/bench/index-bench: $(call obj,test/bench/index_bench.cpp test/bench/synthetic.cpp)
$(BUILD)/test/bench/tracker-bench: $(call obj,test/bench/tracker_bench.cpp)
$(BENCH_PROGS): $(BUILD)/libtpindex.a $(BUILD)/libteleport.a
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)
$(WAN_PROGS): %: %.o
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ -lxxhash

-include $(patsubst %.cpp,$(BUILD)/%.d,$(BENCH_SRC))
