# SPDX-License-Identifier: MIT
kernel_SRCS += drivers/xen/console.c
kernel_SRCS += drivers/xen/cpu.c
kernel_SRCS += drivers/xen/domain.c
kernel_SRCS += drivers/xen/early.c
kernel_SRCS += drivers/xen/event.c
kernel_SRCS += drivers/xen/memory.c
kernel_SRCS += drivers/xen/store.c
kernel_SRCS += drivers/xen/store_wire.c
kernel_SRCS += drivers/xen/xen.c

$(eval $(call unit_test,drivers/xen/console,drivers/xen/console.c))
$(eval $(call unit_test,drivers/xen/event,drivers/xen/event.c))
$(eval $(call thread_test,drivers/xen/event,drivers/xen/event.c))
$(eval $(call unit_test,drivers/xen/store,drivers/xen/store.c drivers/xen/store_wire.c))
