# SPDX-License-Identifier: MIT
include ipc/channel.mk
kernel_SRCS += ipc/wait.c ipc/endpoint.c ipc/endpoint_remote.c
$(eval $(call unit_test,ipc/copy,))
# The files of the call path keep no frame pointer: a twentieth of a round trip. A backtrace from
# inside them misses one caller.
$(B)/ipc/endpoint.c.o $(B)/ipc/wait.c.o $(B)/sys/sys_channel.c.o: KERNEL_CFLAGS += -fomit-frame-pointer
