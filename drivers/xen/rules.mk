# SPDX-License-Identifier: MIT
kernel_SRCS += drivers/xen/cpu.c
kernel_SRCS += drivers/xen/domain.c
kernel_SRCS += drivers/xen/early.c
kernel_SRCS += drivers/xen/event.c
kernel_SRCS += drivers/xen/memory.c
kernel_SRCS += drivers/xen/xen.c

$(eval $(call unit_test,drivers/xen/event,drivers/xen/event.c))
$(eval $(call thread_test,drivers/xen/event,drivers/xen/event.c))
