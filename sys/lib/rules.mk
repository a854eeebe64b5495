# SPDX-License-Identifier: MIT
# The helpers below everything, and the command line, which needs nothing else.
kernel_SRCS += sys/lib/string.c sys/lib/printf.c sys/lib/crc32.c sys/lib/absent.c sys/lib/switches.c sys/cmdline.c

# gcc would make a call to memset or strlen out of the loop that is memset or strlen.
string-CFLAGS-gcc := -fno-tree-loop-distribute-patterns
$(B)/sys/lib/string.c.o: KERNEL_CFLAGS += $(string-CFLAGS-$(TOOLCHAIN))

# string_test includes string.c under other names: a memcpy of our own would stand in for the sanitizers'. The stamp makes it
# depend on a source that the compiler is not given.
$(eval $(call unit_test,sys/lib/string,))
build/unit/sys/lib/string_test: build/unit/sys/lib/string.stamp
build/unit/sys/lib/string.stamp: sys/lib/string.c
	@mkdir -p $(@D)
	@touch $@
$(eval $(call unit_test,sys/lib/printf,sys/lib/printf.c))
$(eval $(call unit_test,sys/lib/absent,sys/lib/absent.c sys/lib/printf.c))
$(eval $(call unit_test,sys/lib/switches,sys/lib/switches.c sys/lib/printf.c))
$(eval $(call unit_test,sys/cmdline,sys/cmdline.c sys/lib/printf.c))
build/unit/sys/cmdline_test: sys/cmdline.def
