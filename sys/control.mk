# SPDX-License-Identifier: MIT
kernel_SRCS += $(addprefix sys/,json.c request.c)
$(eval $(call unit_test,sys/json,sys/json.c sys/lib/printf.c))
$(eval $(call unit_test,sys/request,sys/request.c))
