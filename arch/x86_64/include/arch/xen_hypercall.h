/* SPDX-License-Identifier: MIT
 * Calls to Xen through the page of code that Xen itself writes, 32 bytes for each number. A negative result is an error
 * number of <xen/errno.h>. Pointers among the arguments are the kernel's virtual addresses; Xen walks the page tables
 * of the CPU that calls. Any CPU, any context, once xen_detect has been called and found Xen. */
#pragma once
#include <stdint.h>

#define XEN_HYPERCALL_BYTES 32

extern char xen_hypercall_page[];

/* The arguments' registers are Xen's to change. */
#define xen_hypercall(number, first, second, third)                                                                    \
    ({                                                                                                                 \
        long hypercall_result;                                                                                         \
        uint64_t hypercall_a = (uint64_t)(first), hypercall_b = (uint64_t)(second), hypercall_c = (uint64_t)(third);   \
        __asm__ volatile("call xen_hypercall_page + %c[offset]"                                                        \
                         : "=a"(hypercall_result), "+D"(hypercall_a), "+S"(hypercall_b), "+d"(hypercall_c)             \
                         : [offset] "i"((number)*XEN_HYPERCALL_BYTES)                                                  \
                         : "memory", "cc", "rcx", "r8", "r9", "r10", "r11");                                           \
        hypercall_result;                                                                                              \
    })
