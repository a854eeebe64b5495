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
$(eval $(call thread_test,drivers/xen/console,drivers/xen/console.c sys/frame.c sys/lib/crc32.c))
$(eval $(call unit_test,drivers/xen/event,drivers/xen/event.c))
$(eval $(call thread_test,drivers/xen/event,drivers/xen/event.c))

xen_STORE := $(addprefix drivers/xen/,store.c store_wire.c) tests/unit/drivers/xen/store_daemon.c
$(eval $(call unit_test,drivers/xen/store,$(xen_STORE)))
$(eval $(call unit_test,drivers/xen/shutdown,$(xen_STORE)))
$(foreach t,store shutdown,build/unit/drivers/xen/$(t)_test): tests/unit/drivers/xen/store_daemon.h
