# SPDX-License-Identifier: MIT
kernel_SRCS += perf/hist.c perf/hlog.c

$(eval $(call unit_test,perf/hist,perf/hist.c))
$(eval $(call unit_test,perf/hlog,perf/hist.c perf/hlog.c sys/lib/printf.c))

# The plugin of QEMU with which `./tern profile` sees every instruction: a host program, built when it is asked for.
build/host/trace_plugin.so: perf/host/trace_plugin.c
	@mkdir -p $(@D)
	gcc $(HOST_CFLAGS) -O2 -fPIC -shared -o $@.$$$$ $< && mv $@.$$$$ $@
