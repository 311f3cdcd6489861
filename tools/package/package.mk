# tools/package/package.mk: Debian packages; included by the Makefile.
#   make deb                    $(BUILD)/deb/*.deb, from what is built already
#   make deb DEB_REVISION=2     another revision of the same version
#   tools/package/in-release trixie make deb     of another release of Debian
#   make deb DEB_BUILD_OPTIONS= with packages of debug symbols, too
#   make test-package           install, upgrade, remove and purge them in a
#                               Debian of their own (root, network)
#
# tools/package/debian becomes debian/ beside links to the rest of the tree: debhelper
# finds what it expects, and make finds its build folder under its usual name, so
# nothing is compiled a second time: what is packed is what was tested. Its flags
# are the Makefile's; check-hardening refuses programs that have others.

# Each release of Debian has its own package, linked with its own Xen; who comes
# from one to the next gets the next one's as an upgrade. The release's suite is in
# the first line of debian/changelog.
DEB_RELEASE        = $(shell . /etc/os-release && echo "$$VERSION_ID $$VERSION_CODENAME")
DEB_REVISION      ?= 1+deb$(firstword $(DEB_RELEASE))u1
DEB_BUILD_OPTIONS ?= noautodbgsym
DEB_STAGE         := $(BUILD)/deb/tree
STAGED             = $(filter-out build/ build-%,$(sort $(wildcard */) \
                       $(filter-out $(patsubst %/,%,$(wildcard */)),$(wildcard *))))

.PHONY: test-package
deb: all man
	$(Q)tools/package/check-hardening $(PROGS:%=$(BUILD)/%)
	$(Q)rm -rf $(BUILD)/deb && mkdir -p $(DEB_STAGE)
	$(Q)ln -s $(abspath $(patsubst %/,%,$(filter %/,$(STAGED)))) $(DEB_STAGE)/
	$(Q)cp -p $(filter-out %/,$(STAGED)) $(DEB_STAGE)/
	$(Q)ln -s $(abspath $(BUILD)) $(DEB_STAGE)/$(notdir $(BUILD))
	$(Q)cp -r tools/package/debian $(DEB_STAGE)/debian
	$(Q)sed -i '1s/(.*) [^;]*/($(VERSION)-$(DEB_REVISION)) $(lastword $(DEB_RELEASE))/' $(DEB_STAGE)/debian/changelog
	$(Q)cd $(DEB_STAGE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
	  BUILD='$(notdir $(BUILD))' DEB_BUILD_OPTIONS='$(DEB_BUILD_OPTIONS)' \
	  dpkg-buildpackage --build=binary --no-pre-clean -us -uc
	$(Q)rm -r $(DEB_STAGE)
	$(Q)ls $(BUILD)/deb/*.deb

test-package:
	$(Q)BUILD='$(BUILD)' test/package/run
