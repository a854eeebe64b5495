# SPDX-License-Identifier: MIT
# The vDSO, a shared object of two pages (vdso.so; vdso.bin is what is mapped). Nobody links with it as such, since an image
# is static: programs link with its names and addresses (vdso.ld), the kernel with vdso_site_* only (sites.ld).
VDSO := $(B)/vdso
VDSO_SO := $(VDSO)/vdso.so
VDSO_NAMES := $(VDSO)/vdso.ld
VDSO_SITES := $(VDSO)/sites.ld
VDSO_BIN := $(VDSO)/vdso.bin
ALL += $(VDSO_SO) $(VDSO_NAMES) $(VDSO_SITES) $(VDSO_BIN)

$(VDSO)/vdso.lds: sys/vdso/vdso.lds.S sys/abi/layout.h
	@mkdir -p $(@D)
	$(CC) -E -P -undef -x assembler-with-cpp -iquote . -o $@ $<

$(VDSO_SO): $(VDSO)/vdso.lds $(B)/sys/vdso/vdso.S.o $(B)/sys/vdso/vdso_offsets.c.o
	ld -shared -soname tern-vdso.so.1 --hash-style=both --eh-frame-hdr -z now -z noexecstack --build-id=none \
	  --no-warn-rwx-segments -z max-page-size=0x1000 -T $< -o $@ $(filter %.o,$^)

$(VDSO_BIN): $(VDSO_SO)
	objcopy --strip-all $< $@
	@test "$$(stat -c %s $@)" -le 8192 || { echo "$@: more than two pages"; exit 1; }

$(VDSO_NAMES): $(VDSO_SO)
	nm --defined-only $< | awk '$$2 ~ /[tT]/ { print $$3 " = 0x" $$1 ";" }' > $@

$(VDSO_SITES): $(VDSO_SO)
	nm $< | awk '$$3 ~ /^vdso_site_/ { print $$3 " = 0x" $$1 ";" }' > $@

$(eval $(call unit_test,sys/vdso/sysenter,sys/vdso/sysenter.c))

include sys/vdso/abi.mk
