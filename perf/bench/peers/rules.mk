# SPDX-License-Identifier: MIT
# `make bench-peers`: the kernel's channel beside other people's queues, on this host; `make bench-peers-readme` puts the last
# run's tables into the READMEs. PEERS='--repetitions 9 --seconds 300' are options of compare.py. A program per queue and size of message,
# all with the same flags, for this machine. No other target needs any of it.
peers_DIR := perf/bench/peers
peers_BYTES := 8 64
peers_FLAGS := -g -O2 -march=native -Wall -Wextra -Werror -iquote . -Itests/unit/include -Isys/lib/release
peers_CFLAGS := -std=gnu2x $(WARNINGS) $(peers_FLAGS)
peers_HEADERS := $(wildcard $(peers_DIR)/*.h) ipc/channel.h arch/x86_64/include/arch/atomic.h tests/unit/include/arch/cpu.h
peers_HARNESS := $(patsubst %,build/peers/%.o,main steps stream one_way)

# $(call peers_program,QUEUE,BYTES,ADAPTER,FLAGS,MORE): build/peers/QUEUE-BYTES from the file ADAPTER, MORE sources and the
# harness. FLAGS hold for the adapter and MORE.
define peers_program
peers_PROGRAMS += build/peers/$(1)-$(2)
build/peers/$(1)-$(2): $(peers_DIR)/$(3) $(5) $(peers_HARNESS) $(peers_HEADERS)
	@mkdir -p $$(@D)
	$(if $(filter %.cc,$(3)),g++ -std=gnu++20 $(peers_FLAGS),gcc $(peers_CFLAGS)) $(4) -DMESSAGE_BYTES=$(2) -o $$@ \
	  $$(filter %.c %.cc %.o,$$^) -pthread $(peers_LIBS_$(3))
endef

peers_LIBS_rte_mpsc.c := -lrte_ring -lrte_eal
peers_LIBS_rte_spsc.c := -lrte_ring -lrte_eal
peers_RTE := -isystem /usr/include/dpdk -isystem /usr/include/x86_64-linux-gnu/dpdk -include rte_config.h
# libck's header is not C23. The channel comes twice: compiled as the others are, and as the kernel is, without vector registers.
define peers_programs
$(foreach q,nothing vyukov_mpsc vyukov_mpmc,$(eval $(call peers_program,$(q),$(1),$(q).c)))
$(foreach q,ck_mpsc ck_spsc,$(eval $(call peers_program,$(q),$(1),$(q).c,-std=gnu11)))
$(foreach q,rte_mpsc rte_spsc,$(eval $(call peers_program,$(q),$(1),$(q).c,$(peers_RTE))))
$(foreach q,boost moodycamel,$(eval $(call peers_program,$(q),$(1),$(q).cc)))
$(eval $(call peers_program,channel,$(1),channel.c,,ipc/channel.c tests/unit/host.c))
$(eval $(call peers_program,channel_kernel,$(1),channel.c,-mgeneral-regs-only,ipc/channel.c tests/unit/host.c))
endef
$(foreach bytes,$(peers_BYTES),$(call peers_programs,$(bytes)))

build/peers/%.o: $(peers_DIR)/%.c $(peers_HEADERS)
	@mkdir -p $(@D)
	gcc $(peers_CFLAGS) -c -o $@ $<

.PHONY: bench-peers bench-peers-readme peers-programs
bench-peers:
	@./tern packages peers
	@$(MAKE) --no-print-directory peers-programs
	@$(PYTHON) -B $(peers_DIR)/compare.py $(PEERS)

bench-peers-readme:
	@$(PYTHON) -B $(peers_DIR)/compare.py --readme

peers-programs: $(peers_PROGRAMS)
