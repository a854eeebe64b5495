/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays KVM. */
#pragma once
#include <stdint.h>

extern uint8_t kvm_hypercall_amd;

long kvm_hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d);
