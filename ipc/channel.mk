# SPDX-License-Identifier: MIT
# Build lines of ipc/channel.c and ipc/oneshot.h, their tests and the host bench (run by hand: build/unit/ipc/channel_bench).
kernel_SRCS += ipc/channel.c
$(eval $(call unit_test,ipc/channel,ipc/channel.c))
$(eval $(call thread_test,ipc/channel,ipc/channel.c))
$(eval $(call unit_test,ipc/oneshot,))
$(eval $(call thread_test,ipc/oneshot,))

build/unit/ipc/channel_bench: tests/unit/ipc/channel_bench.c tests/unit/host.c ipc/channel.c ipc/channel.h
	@mkdir -p $(@D)
	gcc $(filter-out -O1 -Isys/lib/debug,$(HOST_CFLAGS)) -O2 -Isys/lib/release -o $@ $(filter %.c,$^) -pthread
