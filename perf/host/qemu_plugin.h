/* SPDX-License-Identifier: MIT
 * What is used of QEMU's plugin interface, version 1 (QEMU 7.2): no Debian 12 package has qemu-plugin.h. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLUGIN_VERSION 1
#define PLUGIN_NO_REGISTERS 0 /* the callback looks at none */

struct qemu_plugin_tb;   /* a block of guest code while it is translated */
struct qemu_plugin_insn; /* an instruction in it */
typedef void translated_fn(uint64_t id, struct qemu_plugin_tb *block);
typedef void executed_fn(unsigned int vcpu, void *data);
typedef void at_exit_fn(uint64_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translated_fn *function);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, executed_fn *function, int flags,
                                            void *data);
/* Adds `step` to *sum before each execution, without a call. */
enum qemu_plugin_op { PLUGIN_ADD_U64 };
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *sum,
                                                uint64_t step);
void qemu_plugin_register_atexit_cb(uint64_t id, at_exit_fn *function, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

/* What QEMU looks up in this file. */
extern int qemu_plugin_version;
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

/* The text behind `key=` among the arguments, or "". */
static inline const char *plugin_argument(int argc, char **argv, const char *key)
{
    size_t n = strlen(key);
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], key, n) == 0 && argv[i][n] == '=')
            return argv[i] + n + 1;
    }
    return "";
}
