/* SPDX-License-Identifier: MIT
 * A QEMU plugin that writes down every executed guest instruction, for one vCPU, so that nothing here is shared.
 *
 *   -plugin trace_plugin.so,out=FILE,code=FILE,from=ADDRESS[,until=ADDRESS]
 *
 * `out` gets the address of each, eight bytes, in order: from the first time at `from` to the first time at `until`, so
 * that firmware and what is of no interest stay out. `code` gets a struct code for each instruction that is translated,
 * perhaps several times; the last one of an address is what runs there. */
#include "perf/host/qemu_plugin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int qemu_plugin_version = PLUGIN_VERSION;

struct code {
    uint64_t address;
    uint8_t size, bytes[15];
};
_Static_assert(sizeof(struct code) == 24, "perf/host/trace.py reads it");

static struct {
    FILE *out, *code;
    uint64_t from, until; /* until 0: to the end */
    enum { BEFORE, RECORDING, AFTER } phase;
    size_t count;
    uint64_t addresses[1 << 16];
} trace;

/* Without the rest of the trace there is no use in going on. */
static void check(bool written)
{
    if (!written) {
        perror("trace: cannot write");
        _exit(1);
    }
}

static void flush(void)
{
    check(fwrite(trace.addresses, sizeof trace.addresses[0], trace.count, trace.out) == trace.count);
    trace.count = 0;
}

/* Before each instruction; `data` is its address. */
static void executed(unsigned int vcpu, void *data)
{
    (void)vcpu;
    uint64_t address = (uint64_t)data;
    if (trace.phase == BEFORE && address == trace.from)
        trace.phase = RECORDING;
    if (trace.phase != RECORDING)
        return;
    if (trace.count == sizeof trace.addresses / sizeof trace.addresses[0])
        flush();
    trace.addresses[trace.count++] = address;
    if (address == trace.until)
        trace.phase = AFTER;
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        struct code code = {.address = qemu_plugin_insn_vaddr(insn), .size = (uint8_t)qemu_plugin_insn_size(insn)};
        memcpy(code.bytes, qemu_plugin_insn_data(insn), code.size);
        check(fwrite(&code, sizeof code, 1, trace.code) == 1);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, PLUGIN_NO_REGISTERS, (void *)code.address);
    }
}

static void at_exit(uint64_t id, void *data)
{
    (void)id;
    (void)data;
    flush();
    check(fclose(trace.out) == 0);
    check(fclose(trace.code) == 0);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    trace.from = strtoull(plugin_argument(argc, argv, "from"), NULL, 0);
    trace.until = strtoull(plugin_argument(argc, argv, "until"), NULL, 0);
    trace.out = fopen(plugin_argument(argc, argv, "out"), "wb");
    trace.code = fopen(plugin_argument(argc, argv, "code"), "wb");
    check(trace.out != NULL && trace.code != NULL);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
