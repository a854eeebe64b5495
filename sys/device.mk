# SPDX-License-Identifier: MIT
# What user-mode drivers stand on: interrupt lines, device memory, ports. Included by rules.mk.
kernel_SRCS += sys/line.c sys/device.c sys/port.c
$(eval $(call unit_test,sys/line,sys/line.c sys/interrupt.c tests/unit/sys/line_world.c))
$(eval $(call unit_test,sys/device,sys/device.c))
$(eval $(call unit_test,sys/port,sys/port.c arch/x86_64/port_instruction.c))
build/unit/sys/line_test: tests/unit/sys/line_world.h
