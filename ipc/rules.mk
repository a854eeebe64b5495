# SPDX-License-Identifier: MIT
include ipc/channel.mk
kernel_SRCS += ipc/wait.c ipc/endpoint.c ipc/endpoint_remote.c
$(eval $(call unit_test,ipc/copy,))
