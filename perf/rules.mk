# SPDX-License-Identifier: MIT
kernel_SRCS += perf/hist.c perf/hlog.c

$(eval $(call unit_test,perf/hist,perf/hist.c))
$(eval $(call unit_test,perf/hlog,perf/hist.c perf/hlog.c sys/lib/printf.c))
