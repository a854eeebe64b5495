# SPDX-License-Identifier: MIT
# Ring 3: the vDSO, the runtime, and the images. An image is a file that the kernel loads: $(B)/images/NAME.img.
include sys/vdso/rules.mk

USER_CFLAGS = $(FREESTANDING) $(FREESTANDING-$(TOOLCHAIN)) $(OPTIMISE-$(BUILD)) $(WARNINGS) -mcmodel=small \
  -iquote . -Iarch/x86_64/include
RT := $(B)/user/rt
RT_FILES := $(addprefix $(RT)/,crt0.o rt.a link.lds vdso.ld vdso.so)
ALL += $(RT_FILES)

# gcc would make a call to memset or strlen out of the loop that is memset or strlen.
user-string-CFLAGS-gcc := -fno-tree-loop-distribute-patterns
$(RT)/string.o: USER_CFLAGS += $(user-string-CFLAGS-$(TOOLCHAIN))

$(RT)/%.o: user/rt/%.S
	@mkdir -p $(@D)
	$(CC) $(ASFLAGS) -MMD -MP -c -o $@ $<

$(RT)/%.o: user/rt/%.c
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

$(RT)/%.o: sys/lib/%.c
	@mkdir -p $(@D)
	$(CC) $(USER_CFLAGS) -MMD -MP -c -o $@ $<

# One object each, so that a program gets only what it uses.
RT_OBJS := $(patsubst user/rt/%.c,$(RT)/%.o,$(wildcard user/rt/*.c)) $(RT)/printf.o $(RT)/string.o
$(RT)/rt.a: $(RT_OBJS)
	rm -f $@
	ar rcsD $@ $^

$(RT)/link.lds: user/rt/link.lds
	@mkdir -p $(@D)
	cp $< $@

$(RT)/vdso.%: $(VDSO)/vdso.%
	@mkdir -p $(@D)
	cp $< $@

$(eval $(call unit_test,user/rt/argument,user/rt/argument.c))
$(eval $(call unit_test,user/rt/log,$(addprefix user/rt/,log.c verdict.c panic.c status_name.c) sys/lib/printf.c))
$(eval $(call unit_test,user/rt/channel,user/rt/channel.c))
$(eval $(call unit_test,user/rt/service,user/rt/service.c))
$(eval $(call unit_test,user/rt/module,user/rt/module.c))
build/unit/user/rt/channel_test build/unit/user/rt/module_test build/unit/user/rt/service_test: tests/unit/user/rt/kernel.h

# $(call user_image,NAME,SYSTEM.json5,PROGRAMS): the image of a description, its programs' sources in the folder PROGRAMS.
# Images of tests are left to `make tests-images`: together they take as long to build as the kernel.
MKIMAGE := user/images/mkimage.py
MKIMAGE_FILES := $(filter-out %.json5 %/tern-mkimage %/__pycache__,$(wildcard user/images/*))
define user_image
$(if $(filter tests/%,$(2) $(3)),tests_IMAGES,ALL) += $(B)/images/$(1).img
$(B)/images/$(1).img: $(2) $(MKIMAGE_FILES) $(RT_FILES)
	@mkdir -p $$(@D)
	$$(PYTHON) -B $(MKIMAGE) build $(2) --programs $(3) --rt $(RT) --work $(B)/user/images/$(1) --out $$@ --cc $$(CC) \
	  --cflags="$$(USER_CFLAGS)" --depfile $$@.d --name $(1)
endef
$(foreach name,uppercase fan_in sensors chain supervised uart echo,\
  $(eval $(call user_image,$(name),user/images/$(name).json5,user/programs)))
$(eval $(call user_image,bench,user/images/bench.json5,perf/bench))
$(eval $(call user_image,bench_cross,user/images/bench_cross.json5,perf/bench))
$(eval $(call user_image,bench_objects,user/images/bench_objects.json5,perf/bench))
$(eval $(call user_image,transact,tests/guest/ipc/transact.json5,tests/guest/ipc))
$(eval $(call user_image,transact_cross,tests/guest/ipc/transact_cross.json5,tests/guest/ipc))
$(eval $(call user_image,stress_cross,tests/guest/ipc/stress_cross.json5,tests/guest/ipc))
$(eval $(call user_image,fault,tests/guest/fault/fault.json5,tests/guest/fault))
$(eval $(call user_image,fault_cross,tests/guest/fault/fault_cross.json5,tests/guest/fault))
$(eval $(call user_image,extension,tests/guest/syscall/extension.json5,tests/guest/syscall))
$(eval $(call user_image,extension_churn,tests/guest/syscall/extension_churn.json5,tests/guest/syscall))
$(eval $(call user_image,arguments,tests/guest/syscall/arguments.json5,tests/guest/syscall))
$(eval $(call user_image,arguments_cross,tests/guest/syscall/arguments_cross.json5,tests/guest/syscall))
$(eval $(call user_image,hooks,tests/guest/syscall/hooks.json5,tests/guest/syscall))
$(eval $(call user_image,hooks_churn,tests/guest/syscall/hooks_churn.json5,tests/guest/syscall))
$(eval $(call user_image,hooks_early,tests/guest/syscall/hooks_early.json5,tests/guest/syscall))
$(eval $(call user_image,sysenter_bytes,tests/guest/syscall/sysenter_bytes.json5,tests/guest/syscall))
$(eval $(call user_image,registers,tests/guest/syscall/registers.json5,tests/guest/syscall))
$(eval $(call user_image,kernel_tests,tests/guest/kernel/kernel_tests.json5,tests/guest/kernel))
$(eval $(call user_image,registers_cross,tests/guest/syscall/registers_cross.json5,tests/guest/syscall))
$(eval $(call user_image,deadline,tests/guest/sched/deadline.json5,tests/guest/sched))
$(eval $(call user_image,priority,tests/guest/sched/priority.json5,tests/guest/sched))
$(eval $(call user_image,rhythm,tests/guest/sched/rhythm.json5,tests/guest/sched))
$(eval $(call user_image,hopeless,tests/guest/programs/hopeless.json5,user/programs --programs tests/guest/programs))
$(eval $(call user_image,patient,tests/guest/programs/patient.json5,user/programs --programs tests/guest/programs))
$(eval $(call user_image,flood,tests/guest/sched/flood.json5,tests/guest/sched))
$(eval $(call user_image,entry,tests/guest/entry/entry.json5,tests/guest/entry))
$(eval $(call user_image,profile_split,tests/guest/profile/split.json5,tests/guest/profile))

# The same with every process that says `cpu: 0` on CPU 1: a test of neighbours becomes one of CPUs.
$(B)/user/%_cross.json5: tests/guest/%.json5
	@mkdir -p $(@D)
	sed 's/^\( *\)cpu: 0,/\1cpu: 1,/' $< > $@
$(B)/user/uart_cross.json5: user/images/uart.json5
	@mkdir -p $(@D)
	sed 's/^\( *\)cpu: 0,/\1cpu: 1,/' $< > $@
$(eval $(call user_image,uart_cross,$(B)/user/uart_cross.json5,user/programs --programs tests/guest/programs))

# $(call user_images,AREA,NAME): tests/guest/AREA/NAME.json5 as it is, and as NAME_cross.
define user_images
$(call user_image,$(2),tests/guest/$(1)/$(2).json5,tests/guest/$(1))
$(call user_image,$(2)_cross,$(B)/user/$(1)/$(2)_cross.json5,tests/guest/$(1))
endef
$(eval $(call user_images,objects,objects))
$(eval $(call user_images,objects,fairness))
$(eval $(call user_images,objects,crowd))
$(eval $(call user_images,hostile,hostile))
$(eval $(call user_images,events,events))
$(eval $(call user_images,events,modules))
$(eval $(call user_image,interrupts,tests/guest/objects/interrupts.json5,tests/guest/objects))
$(eval $(call user_image,level,tests/guest/objects/level.json5,tests/guest/objects))
$(B)/user/level_pc.json5: tests/guest/objects/level.json5
	@mkdir -p $(@D)
	sed 's/number: 20/number: 11/; s/number: 21/number: 10/' $< > $@
$(eval $(call user_image,level_pc,$(B)/user/level_pc.json5,tests/guest/objects))
$(eval $(call user_image,message,tests/guest/objects/message.json5,tests/guest/objects))
$(eval $(call user_image,devices,tests/guest/objects/devices.json5,tests/guest/objects))
$(eval $(call user_image,refused_interrupt,tests/guest/objects/refused_interrupt.json5,tests/guest/objects))
$(eval $(call user_image,refused_memory,tests/guest/objects/refused_memory.json5,tests/guest/objects))
$(eval $(call user_image,refused_registers,tests/guest/objects/refused_registers.json5,tests/guest/objects))
$(eval $(call user_image,refused_ioapic,tests/guest/objects/refused_ioapic.json5,tests/guest/objects))

# The fuzzing processes on four CPUs, and all of them on one. gcc's build alone has both: it is the one that boots.
$(B)/user/fuzz.json5: tests/guest/fuzz/fuzz_cross.json5
	@mkdir -p $(@D)
	sed 's/ cpu: [1-9],//' $< > $@
$(eval $(call user_image,fuzz,$(B)/user/fuzz.json5,tests/guest/fuzz))
$(if $(filter gcc,$(TOOLCHAIN)),$(eval $(call user_image,fuzz_cross,tests/guest/fuzz/fuzz_cross.json5,tests/guest/fuzz)))

# What a stranger needs to build an image outside the tree: headers under their usual names, the runtime, the generator.
PREFIX ?= /usr
SDK = $(DESTDIR)$(PREFIX)/lib/tern
SDK_TREE := $(wildcard sys/abi/*) $(addprefix user/rt/,tern.h io.h message.h module.h service.h) perf/hist.h user/README.md \
  $(MKIMAGE_FILES) $(wildcard user/programs/* user/images/*.json5)
SDK_CFLAGS = $(filter-out -ffile-prefix-map=% -Wdate-time -g,$(FREESTANDING)) -O2 -mcmodel=small -Wall -Wextra
.PHONY: install-sdk
install-sdk: $(RT_FILES) $(B)/syscalls.md
	@test -n "$(DESTDIR)" || { echo "say where: make install-sdk DESTDIR=/where [PREFIX=/usr]"; exit 1; }
	install -d $(SDK)/rt $(DESTDIR)$(PREFIX)/bin
	for f in $(SDK_TREE); do install -D -m 644 "$$f" "$(SDK)/$$f"; done
	install -m 644 $(RT_FILES) $(SDK)/rt
	install -m 644 $(B)/syscalls.md $(SDK)
	echo '$(SDK_CFLAGS)' > $(SDK)/rt/cflags
	install -m 755 user/images/tern-mkimage $(DESTDIR)$(PREFIX)/bin/tern-mkimage
