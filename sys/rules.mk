# SPDX-License-Identifier: MIT
include sys/lib/rules.mk sys/image.mk
kernel_SRCS += sys/main.c sys/load.c sys/process.c sys/syscall/arguments.c sys/syscall/table.c sys/syscall/extension.c $(addprefix sys/syscall/,hook.c hooks.c audit.c latency.c examples.c) sys/sys_syscall.c sys/fastpath.c sys/sys_channel.c sys/sys_object.c sys/sys_debug.c sys/user_buffer.c sys/vdso/vdso.c \
  sys/sys_histogram.c sys/trap.c sys/interrupt.c sys/task.c sys/sys_task.c sys/nmi.c sys/console.c sys/machine.c sys/log.c sys/panic.c sys/shutdown.c sys/census.c

# Runs once, at the end.
$(B)/sys/census.c.o: KERNEL_CFLAGS += -Os
$(eval $(call unit_test,sys/census,sys/census.c tests/unit/ipc/endpoint_world.c tests/unit/ipc/endpoint_world.h ipc/channel.c $(endpoint_SRCS) sched/runq.c sched/sched.c sched/timer.c))

# sys/fastpath.c says why; clang has no such option and merely keeps registers for nothing.
fastpath-CFLAGS-gcc := $(addprefix -fcall-used-,rbx r12 r13 r14 r15)
$(B)/sys/fastpath.c.o: KERNEL_CFLAGS += $(fastpath-CFLAGS-$(TOOLCHAIN))
