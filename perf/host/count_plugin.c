/* SPDX-License-Identifier: MIT
 * A QEMU plugin that counts how often each guest instruction is executed, for one vCPU, so that nothing here is shared.
 *
 *   -plugin count_plugin.so,out=FILE[,from=ADDRESS]
 *
 * `out` gets a struct count for each address, in no order; of what is executed from the first time at `from` on. */
#include "perf/host/qemu_plugin.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PLACES (1u << 18) /* a power of two, many more than a machine has instructions */

int qemu_plugin_version = PLUGIN_VERSION;

struct count {
    uint64_t address, executed;
};

static struct count counts[PLACES];
static size_t used;
static FILE *out;
static uint64_t from; /* 0: everything counts */

static void check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "count: %s\n", what);
    _exit(1);
}

/* An address's place in the table, which has room. */
static struct count *place(uint64_t address)
{
    size_t i = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 46);
    while (counts[i].address != address && counts[i].address)
        i = (i + 1) % PLACES;
    used += counts[i].address == 0;
    check(used < PLACES - 1, "too many instructions for its table");
    counts[i].address = address;
    return &counts[i];
}

/* The instruction at `from`; it counts itself behind this. */
static void begin(unsigned int vcpu, void *data)
{
    (void)vcpu, (void)data;
    if (!from)
        return;
    from = 0;
    for (size_t i = 0; i < PLACES; i++)
        counts[i].executed = 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        if (from && address == from)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, PLUGIN_NO_REGISTERS, NULL);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, PLUGIN_ADD_U64, &place(address)->executed, 1);
    }
}

static void at_exit(uint64_t id, void *data)
{
    (void)id, (void)data;
    for (size_t i = 0; i < PLACES; i++)
        check(!counts[i].executed || fwrite(&counts[i], sizeof counts[i], 1, out) == 1, "cannot write");
    check(fclose(out) == 0, "cannot write");
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
    (void)info;
    from = strtoull(plugin_argument(argc, argv, "from"), NULL, 0);
    out = fopen(plugin_argument(argc, argv, "out"), "wb");
    check(out != NULL, "cannot open its file");
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
