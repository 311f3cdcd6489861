# test/whole/whole.mk: the programs once more, over a false Xen; included by
# test/test.mk. Each is linked from the very objects and archives that the real
# one is linked from; what test/whole/xen defines comes in front of them, and so
# libteleport's domain.o, save.o and xenstore.o are not asked for.
#   make whole                 all tests
#   make whole W='kill power'  those whose names begin so
#   make faults-page           test/RESULTS-faults.md, of those
#   make soak                  test/RESULTS-soak.md: 200 teleports in a row
#   make hostile MINUTES=60    a paired host that sends at random, for so long
WHOLE      := $(BUILD)/test/whole
# What takes the place of the tool stack, of the saver and of xenstore; the
# world that they and the false xl share; the programs of the false Xen.
WHOLE_XEN  := toolstack saver xenstore durable_steps
WHOLE_LIB  := world backend store step records
WHOLE_XL   := xl monitor migrate_receive stream_reader guest_config
whole_obj   = $(1:%=$(BUILD)/test/whole/xen/%.o)
WHOLE_BIN  := $(addprefix $(WHOLE)/,$(notdir $(PROGS)) xl guest libxl-save-helper)

.PHONY: whole whole-programs faults-page soak hostile
whole: whole-programs
	$(Q)BUILD='$(BUILD)' test/whole/run $(W)
faults-page: whole-programs
	$(Q)BUILD='$(BUILD)' test/whole/run --page test/RESULTS-faults.md kill power \
	  "full disk" "link cut" "the link fails" "the session fails" "the source fails"
soak: whole-programs
	$(Q)BUILD='$(BUILD)' SOAK_PAGE=test/RESULTS-soak.md test/whole/run soak
hostile: whole-programs
	$(Q)BUILD='$(BUILD)' HOSTILE_MINUTES='$(or $(MINUTES),10)' test/whole/run 'whatever a paired host'
whole-programs: $(WHOLE_BIN)

$(call obj,$(WHOLE_SRC)): CXXFLAGS = -O1 -g1
$(BUILD)/libwhole.a: $(call whole_obj,$(WHOLE_LIB))
$(WHOLE)/xl: $(call whole_obj,$(WHOLE_XL))
$(WHOLE)/guest: $(call whole_obj,guest)
$(WHOLE)/libxl-save-helper: $(call whole_obj,save_helper) $(BUILD)/test/support/stream_maker.o
$(WHOLE)/xl $(WHOLE)/guest $(WHOLE)/libxl-save-helper: $(call whole_obj,toolstack) $(BUILD)/libwhole.a $(BUILD)/libteleport.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) \
	  $(filter %.a,$^) $(LDLIBS)

define whole_program
$(WHOLE)/$(notdir $(1)): $(BUILD)/$(1).o $(call whole_obj,$(WHOLE_XEN)) $(BUILD)/libwhole.a $(call rooms_of,$(1)) $(LIBS)
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CXX) $$(TP_FLAGS) $$(CXXFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGS),$(eval $(call whole_program,$(p))))
