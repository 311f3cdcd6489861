# test/test.mk: what is checked and how; included by the Makefile.

T ?=
check: deps
	$(Q)$(MAKE) --no-print-directory all tests
	$(BUILD)/test/unit-tests $(T)
