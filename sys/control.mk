# SPDX-License-Identifier: MIT
kernel_SRCS += $(addprefix sys/,json.c request.c control.c) \
  $(addprefix sys/module/,module.c scheduler.c memory.c clock.c channels.c bus.c syscalls.c perf.c cpu.c power.c)
$(eval $(call unit_test,sys/json,sys/json.c sys/lib/printf.c))
$(eval $(call unit_test,sys/request,sys/request.c))
$(eval $(call unit_test,sys/control,sys/control.c sys/request.c sys/json.c sys/lib/printf.c))
$(eval $(call unit_test,sys/module/module,$(wildcard sys/module/*.c) sys/json.c sys/lib/printf.c perf/hist.c ipc/channel.c))
