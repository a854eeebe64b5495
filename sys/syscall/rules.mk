# SPDX-License-Identifier: MIT
# The framework of system calls. Its tests play a process (tests/unit/sys/toy_process.h) and, for hooks, CPUs.
kernel_SRCS += $(addprefix sys/syscall/,table.c arguments.c validator.c extension.c examples.c hook.c hooks.c audit.c latency.c lockdown.c) \
  sys/user_buffer.c
TOY := sys/syscall/arguments.c sys/user_buffer.c

$(eval $(call unit_test,sys/user_buffer,sys/user_buffer.c))
$(eval $(call unit_test,sys/syscall/arguments,$(TOY)))
$(eval $(call unit_test,sys/syscall/validator,sys/syscall/validator.c $(TOY)))
$(eval $(call unit_test,sys/syscall/extension,sys/syscall/extension.c sys/syscall/examples.c sys/syscall/validator.c $(TOY)))
$(eval $(call thread_test,sys/syscall/extension,sys/syscall/extension.c $(TOY)))
$(addprefix build/unit/sys/,user_buffer_test syscall/arguments_test syscall/validator_test syscall/extension_test \
  syscall/extension_threads): \
  tests/unit/sys/toy_process.h sys/user_buffer.h
$(eval $(call unit_test,sys/syscall/hook,tests/unit/sys/syscall/hook_world.c sys/syscall/hook.c))
build/unit/sys/syscall/hook_test: tests/unit/sys/syscall/hook_world.h
$(eval $(call unit_test,sys/syscall/latency,perf/hist.c sys/lib/printf.c))
build/unit/sys/syscall/latency_test: build/unit/sys/syscall/latency.stamp
build/unit/sys/syscall/latency.stamp: sys/syscall/latency.c
	@mkdir -p $(@D)
	@touch $@
