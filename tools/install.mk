# tools/install.mk: make install and make uninstall; included by the Makefile.
#
#   make install                          into /usr/local, for this machine
#   make install PREFIX=/usr DESTDIR=...  staged, for a package
#
# What the administrator owns is never overwritten: a configuration that is
# there stays and ours is laid beside it as .new.

SYSTEMCTL  ?= systemctl
CONFDIR     = $(SYSCONFDIR)/xen
STATEDIR    = /var/lib/xl-teleport
# Where arriving disks are put unless teleport.conf says otherwise.
IMAGEDIR    = /var/lib/xen/images
SBIN_PROGS := $(filter xl-teleport/xl-teleport tools/teleportd tools/teleportctl \
                tools/teleport-evacuate,$(PROGS))
PAGES      := $(sort $(wildcard xl-teleport/*.pod tools/*.pod tools/xapi/*.pod))
UNITS      := teleportd.service teleport-evacuate.service teleport-evacuate.timer
# XAPI looks nowhere else; where there is no XAPI the file does nothing.
XAPIDIR     = $(SYSCONFDIR)/xapi.d/plugins
MAN        := $(PAGES:%.pod=$(BUILD)/%)
man_dir     = $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))

# `xl teleport` through a wrapper that precedes Xen's xl in root's PATH. Where
# ours would lie in the very place of Xen's (a Xen built from source with the
# same PREFIX, or PREFIX=/usr on the running machine) nothing is overwritten:
# `xl-teleport` works all the same, and tools/xen-patches has the patch for xl.
#
# A package (PREFIX=/usr with DESTDIR) does it by diversion. Its preinst says
#   dpkg-divert --package xl-teleport --add --rename \
#     --divert /usr/sbin/xl.distrib /usr/sbin/xl
# and its postrm the same with --remove. Debian's xl is a relative link to a
# script that runs the program of its own name, so the diverted file must stay
# in /usr/sbin and yet be called `xl`: hence the link in $(LIBDIR)/xens-xl.
LIBDIR      ?= $(PREFIX)/lib/xl-teleport
DIVERTED_XL  = $(if $(filter /usr,$(PREFIX)),$(LIBDIR)/xens-xl/xl)
fill_in      = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' \
                 -e 's|@STATEDIR@|$(STATEDIR)|g'
XL_MARK     := ^. xl: xl-teleport's wrapper

.PHONY: man
man: $(MAN)
$(BUILD)/%: %.pod Makefile
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)podchecker -warnings -warnings $< 2>&1 | { ! grep "^\*\*\*"; }
	$(Q)pod2man --section=$(patsubst .%,%,$(suffix $*)) \
	  --name=$(shell echo $(basename $(notdir $*)) | tr a-z A-Z) \
	  --center='xl-teleport' --release='xl-teleport $(VERSION)' $< $@

install: all man
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UNITDIR) \
	  $(DESTDIR)$(CONFDIR) $(sort $(foreach m,$(MAN),$(call man_dir,$(m))))
	install -d $(DESTDIR)$(IMAGEDIR)
	install -d -m 0700 $(DESTDIR)$(CONFDIR)/teleport \
	  $(DESTDIR)$(CONFDIR)/teleport/peers $(DESTDIR)$(STATEDIR)
	install -m 0755 $(SBIN_PROGS:%=$(BUILD)/%) $(DESTDIR)$(SBINDIR)/
	$(foreach m,$(MAN),install -m 0644 $(m) $(call man_dir,$(m))/$(notdir $(m)) &&) true
	$(foreach u,$(UNITS),$(fill_in) tools/$(u) > $(DESTDIR)$(UNITDIR)/$(u) &&) true
	install -d $(DESTDIR)$(XAPIDIR) $(DESTDIR)$(LIBDIR)
	$(fill_in) tools/xapi/teleport_jobs.py > $(DESTDIR)$(LIBDIR)/teleport_jobs.py
	$(fill_in) tools/xapi/teleport.py > $(DESTDIR)$(XAPIDIR)/teleport.py
	chmod 0755 $(DESTDIR)$(XAPIDIR)/teleport.py
	$(Q)conf=$(DESTDIR)$(CONFDIR)/teleport.conf; \
	if [ ! -e $$conf ]; then \
	  install -m 0644 tools/teleport.conf $$conf; \
	elif cmp -s tools/teleport.conf $$conf; then \
	  rm -f $$conf.new; \
	else \
	  install -m 0644 tools/teleport.conf $$conf.new; \
	  echo "install: $$conf is there already and stays; ours: $$conf.new"; \
	fi
	$(Q)xl=$(DESTDIR)$(SBINDIR)/xl; \
	if { [ -e $$xl ] || [ -L $$xl ]; } && \
	   ! grep -qs "$(XL_MARK)" $$xl; then \
	  echo "install: $$xl is Xen's own and stays: 'xl-teleport' works," \
	    "'xl teleport' needs tools/xen-patches"; \
	else \
	  sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@DIVERTED_XL@|$(DIVERTED_XL)|g' \
	    tools/xl > $$xl.tmp && chmod 0755 $$xl.tmp && mv -f $$xl.tmp $$xl; \
	fi
ifneq ($(DIVERTED_XL),)
	install -d $(DESTDIR)$(dir $(DIVERTED_XL))
	ln -sfn /usr/sbin/xl.distrib $(DESTDIR)$(DIVERTED_XL)
endif
ifeq ($(DESTDIR),)
	$(Q)if [ -d /run/systemd/system ]; then $(SYSTEMCTL) daemon-reload; fi
	@echo "install: done; next: edit $(CONFDIR)/teleport.conf," \
	  "systemctl enable --now teleportd, teleportctl pair root@OTHERHOST"
endif

# Stays: the administrator's configuration and keys, the index and the shadows.
uninstall:
ifeq ($(DESTDIR),)
	$(Q)if [ -d /run/systemd/system ]; then \
	  $(SYSTEMCTL) disable --now teleportd.service teleport-evacuate.timer \
	    2>/dev/null; true; fi
	rm -rf /sys/fs/bpf/xl-teleport  # what follows the disks
endif
	$(Q)xl=$(DESTDIR)$(SBINDIR)/xl; \
	if grep -qs "$(XL_MARK)" $$xl; then rm -f $$xl; fi
	rm -f $(foreach p,$(SBIN_PROGS),$(DESTDIR)$(SBINDIR)/$(notdir $(p)))
	rm -f $(foreach m,$(MAN),$(call man_dir,$(m))/$(notdir $(m)))
	rm -f $(foreach u,$(UNITS),$(DESTDIR)$(UNITDIR)/$(u))
	rm -f $(DESTDIR)$(CONFDIR)/teleport.conf.new $(DESTDIR)$(XAPIDIR)/teleport.py
	rm -rf $(DESTDIR)$(LIBDIR)
	$(Q)conf=$(DESTDIR)$(CONFDIR)/teleport.conf; \
	if cmp -s tools/teleport.conf $$conf; then rm -f $$conf; fi
	$(Q)rmdir --ignore-fail-on-non-empty $(DESTDIR)$(CONFDIR)/teleport/peers \
	  $(DESTDIR)$(CONFDIR)/teleport $(DESTDIR)$(STATEDIR) \
	  $(DESTDIR)$(IMAGEDIR) $(DESTDIR)$(XAPIDIR) \
	  $(DESTDIR)$(SYSCONFDIR)/xapi.d 2>/dev/null; true
