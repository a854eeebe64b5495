# SPDX-License-Identifier: MIT
kernel_SRCS += sched/runq.c sched/timer.c sched/inbox.c sched/sched.c
$(eval $(call unit_test,sched/runq,sched/runq.c))
