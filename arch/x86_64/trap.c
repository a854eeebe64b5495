/* SPDX-License-Identifier: MIT
 * One table for all CPUs: 256 gates to entry.S's stubs. NMI, debug, double fault and machine check get stacks of their
 * own, since they may hit before the kernel has a stack. */
#include "arch/x86_64/trap.h"

#include "arch/x86_64/asm.h"

#include <arch/control.h>

#define GATE_INTERRUPT 0x8e
#define STUB_BYTES 16

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "hardware layout");

extern const char trap_stubs[];
static struct gate table[256]; /* [I] */

static uint8_t stack_of(unsigned int vector)
{
    switch (vector) {
    case 1:
        return IST_DEBUG;
    case 2:
        return IST_NMI;
    case 8:
        return IST_DOUBLE_FAULT;
    case 18:
        return IST_MACHINE_CHECK;
    default:
        return 0;
    }
}

void trap_init(void)
{
    for (unsigned int v = 0; v < 256; v++) {
        uint64_t stub = (uint64_t)trap_stubs + v * STUB_BYTES;
        table[v] = (struct gate){(uint16_t)stub,
                                 SEL_KERNEL_CODE,
                                 stack_of(v),
                                 GATE_INTERRUPT,
                                 (uint16_t)(stub >> 16),
                                 (uint32_t)(stub >> 32),
                                 0};
    }
    trap_activate();
}

void trap_activate(void)
{
    struct table_pointer pointer = {sizeof(table) - 1, (uint64_t)table};
    idt_load(&pointer);
}

const char *trap_name(uint64_t vector)
{
    static const char *const names[TRAP_EXCEPTIONS] = {
        "divide error",        "debug exception",    "NMI",
        "breakpoint",          "overflow",           "bound range exceeded",
        "invalid opcode",      "no x87/SSE",         "double fault",
        "coprocessor overrun", "invalid TSS",        "segment not present",
        "stack fault",         "general protection", "page fault",
        "exception 15",        "x87 error",          "alignment check",
        "machine check",       "SIMD error",         "virtualization exception",
        "control protection",
    };
    return vector < TRAP_EXCEPTIONS && names[vector] ? names[vector] : "reserved exception";
}
