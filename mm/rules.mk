# SPDX-License-Identifier: MIT
kernel_SRCS += mm/page.c

$(eval $(call unit_test,mm/page,mm/page.c))
