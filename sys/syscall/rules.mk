# SPDX-License-Identifier: MIT
# The framework of system calls. Its tests play a process (tests/unit/sys/toy_process.h) and, for hooks, CPUs.
kernel_SRCS += $(addprefix sys/syscall/,table.c arguments.c extension.c examples.c hook.c hooks.c audit.c latency.c) \
  sys/user_buffer.c
TOY := sys/syscall/arguments.c sys/user_buffer.c

$(eval $(call unit_test,sys/user_buffer,sys/user_buffer.c))
$(eval $(call unit_test,sys/syscall/arguments,$(TOY)))
build/unit/sys/syscall/arguments_test build/unit/sys/user_buffer_test: tests/unit/sys/toy_process.h
