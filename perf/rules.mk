# SPDX-License-Identifier: MIT
kernel_SRCS += perf/hist.c perf/hlog.c
kernel_SRCS += $(addprefix perf/bench/kernel/,measure.c partner.c kchannel.c kchannel_cross.c ipi.c oneshot.c bus.c bus_cross.c router.c)
# The debug kernel tests itself: tests/guest/kernel/.
kernel_SRCS-release := perf/bench/kernel/no_tests.c
kernel_SRCS-debug := $(addprefix tests/guest/kernel/,kernel_test.c examples.c channel.c oneshot.c bus.c router.c soak.c)
kernel_SRCS += $(kernel_SRCS-$(BUILD))
$(B)/perf/bench/kernel/router.c.o: KERNEL_CFLAGS += -fomit-frame-pointer # as the router itself
include perf/bench/peers/rules.mk

$(eval $(call unit_test,perf/hist,perf/hist.c))
$(eval $(call unit_test,perf/hlog,perf/hist.c perf/hlog.c sys/lib/printf.c))

# The plugins of QEMU with which `./tern profile` sees every instruction: host programs, built when they are asked for.
build/host/%_plugin.so: perf/host/%_plugin.c perf/host/qemu_plugin.h
	@mkdir -p $(@D)
	gcc $(HOST_CFLAGS) -O2 -fPIC -shared -o $@.$$$$ $< && mv $@.$$$$ $@
