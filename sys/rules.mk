# SPDX-License-Identifier: MIT
include sys/lib/rules.mk sys/image.mk sys/syscall/rules.mk sys/device.mk sys/control.mk
kernel_SRCS += sys/main.c sys/load.c sys/process.c sys/vdso/vdso.c sys/vdso/sysenter.c sys/trap.c sys/interrupt.c sys/event_object.c sys/router_object.c sys/user_module.c sys/task.c sys/nmi.c sys/sampler.c sys/sample_ring.c sys/chain.c sys/profile.c sys/census.c sys/console.c sys/frame.c sys/stream.c sys/toolstack.c sys/publisher.c sys/hotplug.c \
  sys/machine.c sys/log.c sys/panic.c sys/shutdown.c sys/fastpath.c \
  $(addprefix sys/sys_,channel.c object.c task.c histogram.c syscall.c debug.c measure.c event.c)

$(eval $(call unit_test,sys/task,$(world_SRCS)))
$(eval $(call unit_test,sys/frame,sys/frame.c sys/lib/crc32.c))
$(eval $(call unit_test,sys/chain,sys/chain.c))
$(eval $(call unit_test,sys/sample_ring,sys/sample_ring.c))
$(eval $(call thread_test,sys/sample_ring,sys/sample_ring.c))
$(eval $(call unit_test,sys/census,sys/census.c ipc/channel.c $(world_SRCS)))
$(eval $(call unit_test,sys/event_object,sys/event_object.c ipc/name.c $(world_SRCS)))
$(eval $(call unit_test,sys/user_module,sys/user_module.c sys/census.c ipc/channel.c $(world_SRCS)))

# sys/fastpath.c says why; clang has no such option and merely keeps registers for nothing.
fastpath-CFLAGS-gcc := $(addprefix -fcall-used-,rbx r12 r13 r14 r15)
$(B)/sys/fastpath.c.o: KERNEL_CFLAGS += $(fastpath-CFLAGS-$(TOOLCHAIN))
