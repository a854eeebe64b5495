# SPDX-License-Identifier: MIT
include ipc/channel.mk
endpoint_SRCS := $(addprefix ipc/,wait.c wait_group.c pieces.c $(addprefix endpoint,.c _async.c _life.c _notify.c _remote.c))
kernel_SRCS += $(endpoint_SRCS) $(addprefix ipc/,wake.c name.c event_bus.c router.c router_registry.c router_mailbox.c)
$(eval $(call unit_test,ipc/copy,))
$(eval $(call unit_test,ipc/pieces,ipc/pieces.c))
# The kernel's sources that run in the world of tests/unit/ipc/endpoint_world.h, and the world.
world_SRCS := $(addprefix tests/unit/ipc/endpoint_,world.c calls.c check.c steps.c world.h steps.h) $(endpoint_SRCS) \
  $(addprefix sched/,runq.c sched.c timer.c) sys/process.c sys/task.c perf/hist.c
$(eval $(call unit_test,ipc/endpoint,$(addprefix tests/unit/ipc/endpoint_,async.c life.c notify.c paths.c pieces.c remote.c) $(world_SRCS)))
$(eval $(call unit_test,ipc/wait_group,tests/unit/ipc/wait_group_take.c $(world_SRCS)))
$(eval $(call unit_test,ipc/endpoint_orders,$(world_SRCS)))
$(eval $(call unit_test,ipc/endpoint_walk,$(addprefix tests/unit/ipc/endpoint_oracle,.c .h) $(world_SRCS)))
bus_SRCS := $(addprefix ipc/,event_bus.c wake.c name.c)
$(eval $(call cpus_test,ipc/event_bus,tests/unit/ipc/event_bus_world.c $(bus_SRCS)))
$(eval $(call cpus_test,ipc/event_bus_walk,tests/unit/ipc/event_bus_world.c $(bus_SRCS)))
$(eval $(call cpus_thread_test,ipc/event_bus,$(bus_SRCS)))
# Two instructions of the sixty that a request on one CPU takes; the path of calls between processes gets longer by it.
$(B)/ipc/router.c.o: KERNEL_CFLAGS += $(router-STACK-$(TOOLCHAIN))
router-STACK-gcc := -mpreferred-stack-boundary=3
router-STACK-clang := -mstack-alignment=8
router_SRCS := $(addprefix ipc/,router.c router_registry.c router_mailbox.c wake.c name.c) sys/lib/printf.c
$(eval $(call cpus_test,ipc/router,$(addprefix tests/unit/ipc/router_,mailbox.c remote.c walk.c world.c world.h) $(router_SRCS)))
$(eval $(call cpus_thread_test,ipc/router,$(router_SRCS)))
# The files of the call path keep no frame pointer: a twentieth of a round trip. A backtrace from
# inside them misses one caller.
$(B)/ipc/endpoint.c.o $(B)/ipc/wait.c.o $(B)/ipc/event_bus.c.o $(B)/ipc/router.c.o $(B)/sched/sched.c.o $(B)/sys/fastpath.c.o \
  $(B)/ipc/endpoint_notify.c.o $(B)/ipc/wait_group.c.o $(B)/sys/sys_channel.c.o $(B)/sys/sys_object.c.o $(B)/sys/sys_debug.c.o: KERNEL_CFLAGS += -fomit-frame-pointer
