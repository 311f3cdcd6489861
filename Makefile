# xl-teleport: one Makefile for the whole tree (non-recursive).
#   make                  build everything into $(BUILD)
#   make test             unit, fuzz, cli, package and two-host Xen tests
#   make check            the same without the emulated Xen hosts (minutes)
#   make demo             two emulated Xen hosts, a guest there and back
#   make lint             format, tidy, layers, length, headers, shell
#   make SAN=address,undefined check   a separate build folder for each SAN
#   make install DESTDIR=/some/where PREFIX=/usr     staged install
#   make deb                Debian packages, in $(BUILD)/deb
VERSION  := 0.1.0
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
SBINDIR  ?= $(PREFIX)/sbin
MANDIR   ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
UNITDIR  ?= $(PREFIX)/lib/systemd/system
CXX      ?= g++
CLANG    ?= clang
BPFTOOL  ?= $(firstword $(wildcard /usr/sbin/bpftool /usr/bin/bpftool) bpftool)
# Where there is a cache for compilers, what was built before in another clone
# costs seconds. The folder is none of its business: no path in here is absolute.
CCACHE   ?= $(firstword $(wildcard /usr/bin/ccache))
export CCACHE_NOHASHDIR := 1
# A daemon of root's that listens: hardened as Debian hardens its own. Functions
# and lines are all that a core's backtrace and a sanitizer's report need: -g
# takes a quarter as long again to compile. All that Debian's `hardening=+all`
# would add is here, and more: the packages have what was compiled and tested
# here, and tools/package/check-hardening reads it off the programs.
CXXFLAGS ?= $(if $(SAN),-O1 -g1,-O2 -g1 -Wformat -Werror=format-security \
              -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
              -fstack-clash-protection -fcf-protection)
LDFLAGS  ?= -Wl,-z,relro,-z,now
SAN      ?=
comma    := ,
BUILD    ?= build$(if $(SAN),-$(subst $(comma),-,$(SAN)))
V        ?= 0
Q        := $(if $(filter 1,$(V)),,@)
say       = $(if $(filter 1,$(V)),,@printf '  %-5s %s\n' $(1) $(2))

# Ours, not the user's: kept apart so CXXFLAGS= on the command line is safe.
# maybe-uninitialized: g++ 12 sees what is not there in optionals of variants.
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion \
            -Wold-style-cast -Woverloaded-virtual -Wundef \
            -Wno-maybe-uninitialized
DEFS     := -DBOOST_ASIO_SEPARATE_COMPILATION -DBOOST_ASIO_NO_DEPRECATED \
            -DTELEPORT_VERSION='"$(VERSION)"' -D_FILE_OFFSET_BITS=64 \
            -DSPDLOG_COMPILED_LIB -DSPDLOG_FMT_EXTERNAL -D_GLIBCXX_ASSERTIONS \
            $(if $(filter thread,$(SAN)),-DBOOST_ASIO_DISABLE_FENCED_BLOCK)
TP_FLAGS := -std=c++20 -I. -isystem $(BUILD) -pthread $(WARN) $(DEFS) \
            $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
              -fno-omit-frame-pointer) \
            $(if $(filter 1,$(WERROR)),-Werror)
# A program names only the libraries that it calls.
LDLIBS   += -Wl,--as-needed -lxenlight -lxenctrl -lxenstore -lxentoollog -llmdb -lxxhash \
            -lzstd -lexpat -lbpf -lspdlog -lfmt -lssl -lcrypto -lseccomp
# Catch2 is a library from its version 3 on; version 2 is a header alone.
CATCH_LIBS ?= $(shell pkg-config --libs catch2)

# A module is a folder; a folder's sources are all its .cpp files.
# Programs that show how others use the library; each file is one.
EXAMPLE_SRC := $(sort $(wildcard libteleport/examples/*.cpp))
LIB_SRC   := $(filter-out $(EXAMPLE_SRC),$(sort $(wildcard libteleport/*/*.cpp)))
INDEX_SRC := $(sort $(wildcard index/*.cpp))
# A program's main() lives in the file that carries the program's name.
PROGS     := xl-teleport/xl-teleport tools/teleportd/teleportd \
             tools/teleportctl/teleportctl tools/evacuate/teleport-evacuate \
             tools/listen/teleport-listen
# The rooms of the programs, users before what they use; each is an archive.
# A program is linked with its own room and those named for it here: one that
# reaches into another program's room does not link.
ROOMS     := tools/teleportd tools/listen tools/teleportctl tools/evacuate xl-teleport \
             xl-teleport/destination xl-teleport/source xl-teleport/setup
ROOMS_OF_xl-teleport       := xl-teleport xl-teleport/source xl-teleport/setup
ROOMS_OF_teleportd         := tools/teleportd xl-teleport/destination xl-teleport/setup
ROOMS_OF_teleport-listen   := tools/listen
ROOMS_OF_teleportctl       := tools/teleportctl xl-teleport/source xl-teleport/setup
ROOMS_OF_teleport-evacuate := tools/evacuate xl-teleport/source xl-teleport/setup
room_src   = $(filter-out $(PROGS:=.cpp),$(sort $(wildcard $(1)/*.cpp)))
ROOM_SRC  := $(foreach r,$(ROOMS),$(call room_src,$(r)))
TEST_SRC  := $(sort $(wildcard test/unit/*.cpp test/root/*.cpp test/fault/*.cpp test/support/*.cpp))
# Programs that tests run: each file is one, and none is a test by itself.
TEST_PROG_SRC := $(sort $(wildcard test/programs/*.cpp))
# What test/whole puts in the place of Xen.
WHOLE_SRC := $(sort $(wildcard test/whole/xen/*.cpp))
FUZZ_SRC  := $(sort $(wildcard test/fuzz/*.cpp))
HEADERS   := $(sort $(wildcard libteleport/*/*.hpp index/*.hpp $(ROOMS:=/*.hpp) test/*/*.hpp test/whole/xen/*.hpp))
ALL_SRC   := $(LIB_SRC) $(EXAMPLE_SRC) $(INDEX_SRC) $(ROOM_SRC) $(TEST_SRC) $(TEST_PROG_SRC) $(WHOLE_SRC) $(PROGS:=.cpp)
SKELETONS := $(patsubst %.bpf.c,$(BUILD)/%.skel.h,$(wildcard libteleport/disk/*.bpf.c))
obj        = $(patsubst %.cpp,$(BUILD)/%.o,$(1))

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all deps test check demo lint install uninstall fuzz bench clean tests \
        print-flags
all: $(addprefix $(BUILD)/,$(PROGS))

# The machine's packages, once: a stamp keyed by the script that installs them.
deps:
	$(Q)tools/install-deps

$(BUILD)/%.o: %.cpp Makefile | $(SKELETONS)
	$(call say,CXX,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CCACHE) $(CXX) $(CPPFLAGS) $(TP_FLAGS) $(CXXFLAGS) -MMD -MP -c -o $@ $<

# The tracker's programs: compiled for the kernel's virtual machine, then
# embedded; nothing of the building machine's kernel goes in (CO-RE).
$(BUILD)/%.bpf.o: %.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) -O2 -g -Wall -Werror -target bpf -mcpu=v3 -I. \
	  -isystem /usr/include/$(shell uname -m)-linux-gnu -c -o $@ $<
.PRECIOUS: $(BUILD)/%.bpf.o $(BUILD)/%.skel.h
$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$(notdir $*))_bpf > $@

$(BUILD)/libteleport.a: $(call obj,$(LIB_SRC))
$(BUILD)/libtpindex.a: $(call obj,$(INDEX_SRC))
$(foreach r,$(ROOMS),$(eval $(BUILD)/$(r)/room.a: $(call obj,$(call room_src,$(r)))))
$(BUILD)/%.a:
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

# Link order is the dependency order: users before what they use.
LIBS := $(BUILD)/libtpindex.a $(BUILD)/libteleport.a
rooms_of = $(ROOMS_OF_$(notdir $(1)):%=$(BUILD)/%/room.a)
$(foreach p,$(PROGS),$(eval $(BUILD)/$(p): $(call rooms_of,$(p))))
$(addprefix $(BUILD)/,$(PROGS)): $(BUILD)/%: $(BUILD)/%.o $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $< $(call rooms_of,$@) $(LIBS) $(LDLIBS)
$(BUILD)/test/unit-tests: $(call obj,$(TEST_SRC)) $(ROOMS:%=$(BUILD)/%/room.a) $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(CATCH_LIBS) $(LDLIBS)
$(BUILD)/test/support.a: $(call obj,$(filter test/support/%,$(TEST_SRC)))
$(TEST_PROG_SRC:%.cpp=$(BUILD)/%): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/test/support.a $(ROOMS:%=$(BUILD)/%/room.a) $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(CATCH_LIBS) $(LDLIBS)
$(EXAMPLE_SRC:%.cpp=$(BUILD)/%): $(BUILD)/%: $(BUILD)/%.o $(LIBS)
	$(call say,LINK,$@)
	$(Q)$(CXX) $(TP_FLAGS) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)
# Half the time to compile; the programs and libraries in it are as they ship.
$(call obj,$(TEST_SRC) $(TEST_PROG_SRC)): CXXFLAGS = -O1 -g1
tests: $(BUILD)/test/unit-tests $(TEST_PROG_SRC:%.cpp=$(BUILD)/%) $(EXAMPLE_SRC:%.cpp=$(BUILD)/%)

print-flags:
	@echo $(CPPFLAGS) $(TP_FLAGS) $(CXXFLAGS)
# Each header must compile alone (lint-headers).
$(BUILD)/%.hpp.ok: %.hpp | $(SKELETONS)
	$(call say,HDR,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CCACHE) $(CXX) $(CPPFLAGS) $(TP_FLAGS) -x c++ -c -o $@ $<

include test/test.mk
include test/bench/bench.mk
include tools/lint/lint.mk
include tools/package/install.mk
include tools/package/package.mk

clean:
	rm -rf build build-*

-include $(patsubst %.cpp,$(BUILD)/%.d,$(ALL_SRC))
