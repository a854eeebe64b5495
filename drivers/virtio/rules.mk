# SPDX-License-Identifier: MIT
virtio_TRANSPORTS := $(addprefix drivers/virtio/,pci.c transport_pci.c transport_mmio.c device.c)
virtio_CONSOLE := $(addprefix drivers/virtio/,ring.c port.c console.c)
virtio_FAKE := $(addprefix tests/unit/drivers/virtio/,fake_device.c fake_bus.c)

kernel_SRCS += $(virtio_TRANSPORTS) $(virtio_CONSOLE)

$(eval $(call unit_test,drivers/virtio/ring,drivers/virtio/ring.c))
$(eval $(call unit_test,drivers/virtio/pci,$(virtio_TRANSPORTS) $(virtio_FAKE)))
$(eval $(call unit_test,drivers/virtio/console,$(virtio_TRANSPORTS) $(virtio_CONSOLE) $(virtio_FAKE) sys/lib/absent.c sys/lib/printf.c))
$(foreach t,ring pci console,build/unit/drivers/virtio/$(t)_test): tests/unit/drivers/virtio/fake_device.h
