# SPDX-License-Identifier: MIT
# Boot tables: what the loader handed over, and the firmware's CPUs, interrupt controllers, power and timers. Included by
# rules.mk.
kernel_SRCS += arch/x86_64/boot_table.c arch/x86_64/boot_info.c arch/x86_64/pvh.c arch/x86_64/multiboot2.c \
  arch/x86_64/cpu_list.c arch/x86_64/acpi.c arch/x86_64/acpi_power.c arch/x86_64/mptable.c arch/x86_64/ioapic.c

$(eval $(call unit_test,arch/x86_64/pvh,arch/x86_64/pvh.c arch/x86_64/boot_info.c arch/x86_64/boot_table.c))
$(eval $(call unit_test,arch/x86_64/multiboot2,arch/x86_64/multiboot2.c arch/x86_64/boot_info.c arch/x86_64/boot_table.c))
ACPI_TESTED := arch/x86_64/acpi.c arch/x86_64/acpi_power.c arch/x86_64/cpu_list.c arch/x86_64/boot_table.c
$(eval $(call unit_test,arch/x86_64/acpi,$(ACPI_TESTED)))
$(eval $(call unit_test,arch/x86_64/acpi_power,$(ACPI_TESTED)))
$(eval $(call unit_test,arch/x86_64/mptable,arch/x86_64/mptable.c arch/x86_64/cpu_list.c arch/x86_64/boot_table.c))
$(eval $(call unit_test,arch/x86_64/ioapic,arch/x86_64/ioapic.c arch/x86_64/cpu_list.c sys/lib/absent.c sys/lib/printf.c))
