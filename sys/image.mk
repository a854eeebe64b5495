# SPDX-License-Identifier: MIT
# The decoder of system images and its host test.
kernel_SRCS += sys/image.c
$(eval $(call unit_test,sys/image,sys/image.c sys/lib/crc32.c tests/unit/sys/image_sample.c))
build/unit/sys/image_test: tests/unit/sys/image_sample.h
