# SPDX-License-Identifier: MIT
# The kernel's ELF: offsets for assembly, two links (the second with the symbol table that the first one yields).
include arch/x86_64/tables.mk
kernel_SRCS += arch/x86_64/boot.S arch/x86_64/ap_boot.S arch/x86_64/entry.S arch/x86_64/entry.c arch/x86_64/blobs.S \
  arch/x86_64/features.c arch/x86_64/paging.c arch/x86_64/percpu.c arch/x86_64/trap.c arch/x86_64/fault.c \
  arch/x86_64/symbols.c arch/x86_64/apic.c arch/x86_64/clock.c arch/x86_64/smp.c arch/x86_64/power.c arch/x86_64/uart.c \
  arch/x86_64/speculation.c arch/x86_64/port_instruction.c arch/x86_64/xen_hypercall.S \
  arch/x86_64/kvm.c arch/x86_64/kvm_hypercall.S arch/x86_64/steal.c
$(eval $(call unit_test,arch/x86_64/speculation,arch/x86_64/speculation.c))
$(eval $(call cpus_test,arch/x86_64/kvm,arch/x86_64/kvm.c arch/x86_64/steal.c sys/lib/switches.c sys/lib/printf.c))
$(eval $(call unit_test,arch/x86_64/power,arch/x86_64/power.c))
$(eval $(call unit_test,arch/x86_64/port_instruction,arch/x86_64/port_instruction.c))

OFFSETS := $(B)/arch/x86_64/asm_offsets.h
$(B)/arch/x86_64/asm_offsets.s: arch/x86_64/asm_offsets.c
	@mkdir -p $(@D)
	$(CC) $(KERNEL_CFLAGS) -g0 -MMD -MP -MT $@ -MF $@.d -S -o $@ $<
$(OFFSETS): $(B)/arch/x86_64/asm_offsets.s
	sed -n 's/.*"->\([A-Z0-9_]*\) \([0-9]*\)".*/#define \1 \2/p' $< > $@
$(B)/arch/x86_64/entry.S.o: $(OFFSETS)

IMAGE_DEFAULT = $(B)/images/bench.img
# Names that other folders' rules.mk give are known only by the second expansion.
.SECONDEXPANSION:
$(B)/arch/x86_64/blobs.S.o: $$(VDSO_BIN) $$(IMAGE_DEFAULT)
$(B)/arch/x86_64/blobs.S.o: ASFLAGS += -DVDSO_BIN='"$(VDSO_BIN)"' -DIMAGE_DEFAULT='"$(IMAGE_DEFAULT)"'

LINK = $(CC) $(LINK-$(TOOLCHAIN)) -nostdlib -static -Wl,-T,$(B)/kernel.lds -Wl,--build-id=sha1 -Wl,-z,max-page-size=4096 \
  -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments $(VDSO_SITES)
$(B)/kernel.lds: arch/x86_64/kernel.lds.S
	@mkdir -p $(@D)
	$(CC) -E -P -x c $(INCLUDES) -o $@ $<

$(B)/symbols-none.S.o $(B)/symbols.S.o: $(B)/%.S.o: $(B)/%.S
	$(CC) $(ASFLAGS) -c -o $@ $<
$(B)/symbols-none.S: arch/x86_64/symbols.awk
	@mkdir -p $(@D)
	awk -f $< /dev/null > $@
$(B)/symbols.S: $(B)/tern-nameless.elf arch/x86_64/symbols.awk
	nm -n $< | awk -f arch/x86_64/symbols.awk > $@
$(B)/tern-nameless.elf: $$(kernel_OBJS) $(B)/symbols-none.S.o $(B)/kernel.lds $$(VDSO_SITES)
	$(LINK) -o $@ $(filter %.o,$^)
$(B)/tern.elf: $$(kernel_OBJS) $(B)/symbols.S.o $(B)/kernel.lds $$(VDSO_SITES)
	$(LINK) -o $@ $(filter %.o,$^)
	/usr/bin/python3 -B ci/lint/notes.py $@
$(B)/tern.kallsyms: $(B)/tern.elf
	nm -n $< | awk '$$1 ~ /^ffffffff/ { print $$1, $$2, $$3 }' > $@
ALL += $(B)/tern.elf $(B)/tern.kallsyms
