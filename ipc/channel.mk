# SPDX-License-Identifier: MIT
# Build lines of ipc/channel.c and ipc/oneshot.h, and their tests. What a channel costs beside other queues:
# `make bench-peers`.
kernel_SRCS += ipc/channel.c
$(eval $(call unit_test,ipc/channel,ipc/channel.c))
$(eval $(call thread_test,ipc/channel,ipc/channel.c))
$(eval $(call unit_test,ipc/oneshot,))
$(eval $(call thread_test,ipc/oneshot,))

# As the release kernel is made, without sanitizers: here the instructions themselves are under test.
OPTIMISED_CFLAGS := $(filter-out -O1 -Isys/lib/debug,$(HOST_CFLAGS)) -O2 -Isys/lib/release
unit_TESTS += build/unit/ipc/nested_test
build/unit/ipc/nested_test: tests/unit/ipc/nested_test.c tests/unit/host.c ipc/channel.c $(wildcard ipc/*.h)
	@mkdir -p $(@D)
	gcc $(OPTIMISED_CFLAGS) -o $@ $(filter %.c,$^) -lcriterion

thread_TESTS += build/unit/ipc/channel_flood_threads
build/unit/ipc/channel_flood_threads: tests/unit/ipc/channel_flood_threads.c tests/unit/host.c ipc/channel.c ipc/channel.h
	@mkdir -p $(@D)
	gcc $(OPTIMISED_CFLAGS) -o $@ $(filter %.c,$^) -pthread
