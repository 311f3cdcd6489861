# tools/package/install.mk: make install and make uninstall; included by the Makefile.
#
#   make install                          into /usr/local, for this machine
#   make install PREFIX=/usr DESTDIR=...  staged, for a package
#   make install-dev                      the library, for other programs
#   make html                             the man pages as HTML, in $(HTMLDIR)
#
# Programs, pages, units, completions and plugins are found by folder: what is
# not there is not installed. Packages: package.mk.
#
# What the administrator owns is never overwritten: a configuration that is
# there stays and ours is laid beside it as .new.

SYSTEMCTL  ?= systemctl
CONFDIR     = $(SYSCONFDIR)/xen
STATEDIR    = /var/lib/xl-teleport
RUNDIR      = /run/xl-teleport
PINDIR      = /sys/fs/bpf/xl-teleport
# Is there where systemd runs.
SYSTEMD     = /run/systemd/system
# Where arriving disks are put unless teleport.conf says otherwise.
IMAGEDIR    = /var/lib/xen/images
UNITS      := $(sort $(wildcard tools/*/*.service tools/*/*.timer))
# XAPI's `host-call-plugin` looks in this one folder, where every file is a
# plugin; a link, so that a package that goes leaves no configuration file there.
PLUGINS    := teleport.py
PLUGIN_PARTS := teleport_jobs.py
PLUGINDIR   = $(SYSCONFDIR)/xapi.d/plugins
# libxl looks for block scripts there; a link, as for the plugins.
SCRIPT      := block-teleport
SCRIPTDIR   = $(CONFDIR)/scripts
# The user of what the network reaches; systemd-sysusers makes it.
SYSUSERS    := tools/package/xl-teleport.sysusers
SYSUSERSDIR ?= $(PREFIX)/lib/sysusers.d
SYSUSERSCTL ?= systemd-sysusers
PAGES      := $(sort $(wildcard xl-teleport/*.pod xl-teleport/setup/*.pod tools/*/*.pod))
MAN        := $(PAGES:%.pod=$(BUILD)/%)
# One file of completions, and a link to it for each program but the first. The
# one for `xl` stands before Xen's, as the wrapper before Xen's xl. zsh and fish
# run bash's file; zsh reads one of its own for all programs, fish looks for one
# that is called after the command.
COMPLETIONDIR  ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR         ?= $(PREFIX)/share/zsh/$(if $(filter /usr,$(PREFIX)),vendor-completions,site-functions)
FISHDIR        ?= $(PREFIX)/share/fish/vendor_completions.d
COMPLETED      := $(filter-out xl-teleport,$(notdir $(PROGS)))
man_dir     = $(DESTDIR)$(MANDIR)/man$(patsubst .%,%,$(suffix $(1)))

# `xl teleport` through a wrapper that precedes Xen's xl in root's PATH. Where
# ours would lie in the very place of Xen's (a Xen built from source with the
# same PREFIX, or PREFIX=/usr on the running machine) nothing is overwritten:
# `xl-teleport` works all the same, and tools/xl/xen-patches has the patch for xl.
#
# The package (PREFIX=/usr with DESTDIR) does it by diversion: see preinst and
# postrm in tools/package/debian. Debian's xl is a relative link to a
# script that runs the program of its own name, so the diverted file must stay
# in /usr/sbin and yet be called `xl`: hence the link in $(LIBDIR)/xens-xl.
LIBDIR      ?= $(PREFIX)/lib/xl-teleport
DIVERTED_XL  = $(if $(filter /usr,$(PREFIX)),$(LIBDIR)/xens-xl/xl)
XL_MARK     := ^. xl: xl-teleport's wrapper
# $(call filled_in,FILE,DESTINATION,MODE)
filled_in    = sed -e 's|@SBINDIR@|$(SBINDIR)|g' -e 's|@DIVERTED_XL@|$(DIVERTED_XL)|g' \
               -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@STATEDIR@|$(STATEDIR)|g' \
               -e 's|@COMPLETIONDIR@|$(COMPLETIONDIR)|g' \
               $(1) > $(2).tmp && chmod $(3) $(2).tmp && mv -f $(2).tmp $(2)

# For programs that link with the library. It is static: its interface changes.
DEVLIBDIR   ?= $(PREFIX)/lib
INCLUDEDIR  ?= $(PREFIX)/include/xl-teleport
DEV_HEADERS := $(filter libteleport/% index/%,$(HEADERS))

# The pages for a browser; they name nothing outside of their folder.
HTMLDIR     ?= $(BUILD)/html

.PHONY: man html install-dev uninstall-dev
man: $(MAN)
html: $(HTMLDIR)/index.html
$(HTMLDIR)/index.html: $(PAGES) tools/package/html-pages
	$(call say,HTML,$(HTMLDIR))
	$(Q)mkdir -p $(@D)
	$(Q)tools/package/html-pages $(@D) $(PAGES)
$(BUILD)/%: %.pod Makefile
	$(call say,MAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)podchecker -warnings -warnings $< 2>&1 | { ! grep "^\*\*\*"; }
	$(Q)pod2man --section=$(patsubst .%,%,$(suffix $*)) \
	  --name=$(shell echo $(basename $(notdir $*)) | tr a-z A-Z) \
	  --center='xl-teleport' --release='xl-teleport $(VERSION)' $< $@

install: all man
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UNITDIR) $(DESTDIR)$(COMPLETIONDIR) \
	  $(DESTDIR)$(CONFDIR) $(sort $(foreach m,$(MAN),$(call man_dir,$(m))))
	install -d $(DESTDIR)$(IMAGEDIR) $(DESTDIR)$(SYSUSERSDIR) $(DESTDIR)$(ZSHDIR) \
	  $(DESTDIR)$(FISHDIR)
	install -m 0644 $(SYSUSERS) $(DESTDIR)$(SYSUSERSDIR)/xl-teleport.conf
	install -d -m 0700 $(DESTDIR)$(CONFDIR)/teleport \
	  $(DESTDIR)$(CONFDIR)/teleport/peers $(DESTDIR)$(STATEDIR)
	install -m 0755 $(PROGS:%=$(BUILD)/%) $(DESTDIR)$(SBINDIR)/
	$(foreach m,$(MAN),install -m 0644 $(m) $(call man_dir,$(m))/$(notdir $(m)) &&) true
	$(foreach u,$(UNITS),$(call filled_in,$(u),$(DESTDIR)$(UNITDIR)/$(notdir $(u)),0644) &&) true
	install -m 0644 tools/xl/completion/xl-teleport $(DESTDIR)$(COMPLETIONDIR)/
	$(foreach p,$(COMPLETED),ln -sfn xl-teleport $(DESTDIR)$(COMPLETIONDIR)/$(p) &&) true
	$(call filled_in,tools/xl/completion/_xl-teleport,$(DESTDIR)$(ZSHDIR)/_xl-teleport,0644)
	$(call filled_in,tools/xl/completion/xl-teleport.fish,$(DESTDIR)$(FISHDIR)/xl-teleport.fish,0644)
	$(foreach p,xl $(COMPLETED),ln -sfn xl-teleport.fish $(DESTDIR)$(FISHDIR)/$(p).fish &&) true
	install -d $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(LIBDIR)
	$(foreach p,$(PLUGIN_PARTS),$(call filled_in,tools/xapi/$(p),$(DESTDIR)$(LIBDIR)/$(p),0644) &&) true
	$(foreach p,$(PLUGINS),$(call filled_in,tools/xapi/$(p),$(DESTDIR)$(LIBDIR)/$(p),0755) &&) true
	$(foreach p,$(PLUGINS),ln -sfn $(LIBDIR)/$(p) $(DESTDIR)$(PLUGINDIR)/$(p) &&) true
	install -d $(DESTDIR)$(SCRIPTDIR)
	install -m 0755 tools/xl/$(SCRIPT) $(DESTDIR)$(LIBDIR)/$(SCRIPT)
	ln -sfn $(LIBDIR)/$(SCRIPT) $(DESTDIR)$(SCRIPTDIR)/$(SCRIPT)
	install -m 0755 tools/package/check-removable $(DESTDIR)$(LIBDIR)/
	$(Q)conf=$(DESTDIR)$(CONFDIR)/teleport.conf; \
	if [ ! -e $$conf ]; then \
	  install -m 0644 xl-teleport/setup/teleport.conf $$conf; \
	elif cmp -s xl-teleport/setup/teleport.conf $$conf; then \
	  rm -f $$conf.new; \
	else \
	  install -m 0644 xl-teleport/setup/teleport.conf $$conf.new; \
	  echo "install: $$conf is there already and stays; ours: $$conf.new"; \
	fi
	$(Q)xl=$(DESTDIR)$(SBINDIR)/xl; \
	if { [ -e $$xl ] || [ -L $$xl ]; } && \
	   ! grep -qs "$(XL_MARK)" $$xl; then \
	  echo "install: $$xl is Xen's own and stays: 'xl-teleport' works," \
	    "'xl teleport' needs tools/xl/xen-patches"; \
	else \
	  $(call filled_in,tools/xl/xl,$$xl,0755); \
	fi
	$(Q)xl=$(DESTDIR)$(COMPLETIONDIR)/xl; \
	if [ ! -e $$xl ] || grep -qs "$(XL_MARK)" $$xl; then \
	  install -m 0644 tools/xl/completion/xl $$xl; \
	fi
ifneq ($(DIVERTED_XL),)
	install -d $(DESTDIR)$(dir $(DIVERTED_XL))
	ln -sfn /usr/sbin/xl.distrib $(DESTDIR)$(DIVERTED_XL)
endif
ifeq ($(DESTDIR),)
	$(Q)if [ -d $(SYSTEMD) ]; then \
	  $(SYSUSERSCTL) $(SYSUSERSDIR)/xl-teleport.conf; $(SYSTEMCTL) daemon-reload; fi
	@echo "install: done; next: edit $(CONFDIR)/teleport.conf," \
	  "systemctl enable --now teleportd, teleportctl pair root@OTHERHOST"
endif

# Stays: the administrator's configuration and keys, the index and the shadows.
# Of the machine's own programs it is refused while a teleport needs them, and
# teleportd goes on, as the package's prerm and postinst do it.
uninstall:
ifeq ($(DESTDIR),)
	$(Q)ours=$(SBINDIR)/teleportctl; systemd=; was_active=; \
	if [ -d $(SYSTEMD) ]; then systemd=yes; fi; \
	if [ "$$systemd" ]; then \
	  if $(SYSTEMCTL) is-active --quiet teleportd.service; then was_active=yes; fi; \
	  $(SYSTEMCTL) stop $(notdir $(filter %.timer,$(UNITS))) teleportd.service \
	    2>/dev/null || :; \
	fi; \
	if [ -x "$$ours" ] && ! tools/package/check-removable "$$ours"; then \
	  if [ "$$was_active" ]; then $(SYSTEMCTL) start teleportd.service; fi; \
	  exit 1; \
	fi; \
	if [ "$$systemd" ]; then \
	  $(SYSTEMCTL) disable --now $(notdir $(UNITS)) 2>/dev/null || :; \
	fi
	# The keeper, which pins, ends soon after teleportd.
	$(Q)if [ -e $(RUNDIR)/keeper.lock ]; then \
	  flock --timeout 60 $(RUNDIR)/keeper.lock true || :; fi
	rm -rf $(PINDIR)  # what follows the disks
endif
	$(Q)for xl in $(DESTDIR)$(SBINDIR)/xl $(DESTDIR)$(COMPLETIONDIR)/xl; do \
	  if grep -qs "$(XL_MARK)" $$xl; then rm -f $$xl; fi; done
	rm -f $(foreach p,$(PROGS),$(DESTDIR)$(SBINDIR)/$(notdir $(p)))
	rm -f $(DESTDIR)$(SYSUSERSDIR)/xl-teleport.conf
	rm -f $(foreach m,$(MAN),$(call man_dir,$(m))/$(notdir $(m)))
	rm -f $(foreach u,$(UNITS),$(DESTDIR)$(UNITDIR)/$(notdir $(u)))
	rm -f $(foreach p,xl-teleport $(COMPLETED),$(DESTDIR)$(COMPLETIONDIR)/$(p))
	rm -f $(DESTDIR)$(ZSHDIR)/_xl-teleport
	rm -f $(foreach p,xl xl-teleport $(COMPLETED),$(DESTDIR)$(FISHDIR)/$(p).fish)
	rm -f $(PLUGINS:%=$(DESTDIR)$(PLUGINDIR)/%) $(DESTDIR)$(SCRIPTDIR)/$(SCRIPT)
	rm -f $(DESTDIR)$(CONFDIR)/teleport.conf.new
	rm -rf $(DESTDIR)$(LIBDIR)
	$(Q)conf=$(DESTDIR)$(CONFDIR)/teleport.conf; \
	if cmp -s xl-teleport/setup/teleport.conf $$conf; then rm -f $$conf; fi
	$(Q)rmdir --ignore-fail-on-non-empty $(DESTDIR)$(CONFDIR)/teleport/peers \
	  $(DESTDIR)$(CONFDIR)/teleport $(DESTDIR)$(STATEDIR) \
	  $(DESTDIR)$(IMAGEDIR) $(DESTDIR)$(PLUGINDIR) $(DESTDIR)$(SCRIPTDIR) \
	  $(DESTDIR)$(SYSCONFDIR)/xapi.d 2>/dev/null; true

install-dev: $(BUILD)/libteleport.a $(BUILD)/libtpindex.a
	install -d $(DESTDIR)$(DEVLIBDIR)/pkgconfig \
	  $(sort $(dir $(DEV_HEADERS:%=$(DESTDIR)$(INCLUDEDIR)/%)))
	install -m 0644 $(BUILD)/libteleport.a $(DESTDIR)$(DEVLIBDIR)/
	install -m 0644 $(BUILD)/libtpindex.a $(DESTDIR)$(DEVLIBDIR)/libteleport-index.a
	$(foreach h,$(DEV_HEADERS),install -m 0644 $(h) $(DESTDIR)$(INCLUDEDIR)/$(h) &&) true
	sed -e 's|@DEVLIBDIR@|$(DEVLIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	  -e 's|@VERSION@|$(VERSION)|' libteleport/teleport.pc.in \
	  > $(DESTDIR)$(DEVLIBDIR)/pkgconfig/teleport.pc

uninstall-dev:
	rm -rf $(DESTDIR)$(INCLUDEDIR)
	rm -f $(DESTDIR)$(DEVLIBDIR)/libteleport.a $(DESTDIR)$(DEVLIBDIR)/libteleport-index.a \
	  $(DESTDIR)$(DEVLIBDIR)/pkgconfig/teleport.pc
