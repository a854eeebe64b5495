# SPDX-License-Identifier: MIT
# The vDSO. Programs link with `-R $(VDSO_ELF)`; the kernel links with `-R $(VDSO_SITES)`, which has the vdso_site_* only
# (its own functions have the calls' names too), and embeds $(VDSO_BIN), exactly one page.
VDSO_ELF := $(B)/vdso/vdso.elf
VDSO_SITES := $(B)/vdso/sites.elf
VDSO_BIN := $(B)/vdso/vdso.bin
ALL += $(VDSO_ELF) $(VDSO_SITES) $(VDSO_BIN)

$(B)/vdso/vdso.lds: sys/vdso/vdso.lds.S sys/abi/layout.h
	@mkdir -p $(@D)
	$(CC) -E -P -undef -x assembler-with-cpp -iquote . -o $@ $<

$(VDSO_ELF): $(B)/vdso/vdso.lds $(B)/sys/vdso/vdso.S.o $(B)/sys/vdso/vdso_offsets.c.o
	ld -static -nostdlib --build-id=none --no-warn-rwx-segments -z max-page-size=0x1000 -T $< -o $@ $(filter %.o,$^)

$(VDSO_BIN): $(VDSO_ELF)
	objcopy -O binary -j .text -j .eh_frame -j .unused $< $@
	@test "$$(stat -c %s $@)" = 4096 || { echo "$@: not one page"; exit 1; }

$(VDSO_SITES): $(VDSO_ELF)
	objcopy --strip-all --wildcard --keep-symbol='vdso_site_*' $< $@
