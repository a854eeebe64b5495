# SPDX-License-Identifier: MIT
# What programs and images rely on, in one text: a build whose text is not the one in tests/golden/ fails. And the manual.
ABI_PRINT := build/host/abi_print
ABI_GOLDEN := tests/golden/abi.txt
ALL += $(B)/abi.txt $(B)/syscalls.md

$(ABI_PRINT): sys/vdso/abi_print.c $(wildcard sys/abi/*)
	@mkdir -p $(@D)
	gcc $(HOST_CFLAGS) -Wno-unused-macros -o $@ $<

$(VDSO)/abi.txt: $(ABI_PRINT) $(VDSO_SO)
	$(ABI_PRINT) abi > $@
	nm -D --defined-only $(VDSO_SO) | awk '{ print "vdso", $$3, "0x" $$1 }' | LC_ALL=C sort >> $@

$(B)/abi.txt: $(VDSO)/abi.txt $(ABI_GOLDEN)
	@diff -u $(ABI_GOLDEN) $< || { echo "the ABI is not the one in $(ABI_GOLDEN); if that is meant: make abi-golden"; exit 1; }
	cp $< $@

$(B)/syscalls.md: $(ABI_PRINT)
	$(ABI_PRINT) manual > $@

.PHONY: abi-golden
abi-golden: $(VDSO)/abi.txt
	cp $< $(ABI_GOLDEN)
