# SPDX-License-Identifier: MIT
include ipc/channel.mk
endpoint_SRCS := $(addprefix ipc/,wait.c wait_group.c pieces.c $(addprefix endpoint,.c _async.c _life.c _notify.c _remote.c))
kernel_SRCS += $(endpoint_SRCS)
$(eval $(call unit_test,ipc/copy,))
$(eval $(call unit_test,ipc/endpoint,$(addprefix tests/unit/ipc/endpoint_,paths.c remote.c world.c world.h) $(endpoint_SRCS) sched/runq.c sched/sched.c sched/timer.c))
# The files of the call path keep no frame pointer: a twentieth of a round trip. A backtrace from
# inside them misses one caller.
$(B)/ipc/endpoint.c.o $(B)/ipc/wait.c.o $(B)/sched/sched.c.o $(B)/sys/fastpath.c.o \
  $(B)/ipc/endpoint_notify.c.o $(B)/ipc/wait_group.c.o $(B)/sys/sys_channel.c.o $(B)/sys/sys_object.c.o $(B)/sys/sys_debug.c.o: KERNEL_CFLAGS += -fomit-frame-pointer
