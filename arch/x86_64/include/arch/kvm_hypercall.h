/* SPDX-License-Identifier: MIT
 * Calls to KVM, by the instruction of this CPU's maker: the kernel's text is read-only, so that KVM cannot put the
 * right one in place of the wrong one, which would be the end. A negative result is an error number. Any CPU, any
 * context, once kvm_hypercall_amd is set, under KVM only. */
#pragma once
#include <stdint.h>

extern uint8_t kvm_hypercall_amd; /* [I] 1: VMMCALL, 0: VMCALL */

long kvm_hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
