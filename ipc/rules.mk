# SPDX-License-Identifier: MIT
include ipc/channel.mk
kernel_SRCS += ipc/wait.c ipc/endpoint.c ipc/endpoint_remote.c
$(eval $(call unit_test,ipc/copy,))
# The two files of the call path (and sys/sys_channel.c) keep no frame pointer: a twentieth of a round trip. A backtrace from
# inside them misses one caller.
$(B)/ipc/endpoint.c.o $(B)/sys/sys_channel.c.o: KERNEL_CFLAGS += -fomit-frame-pointer
