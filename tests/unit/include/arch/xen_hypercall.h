/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays Xen. */
#pragma once
#include <stdint.h>

long played_hypercall(unsigned int number, uint64_t first, uint64_t second, uint64_t third);

#define xen_hypercall(number, first, second, third)                                                                    \
    played_hypercall((number), (uint64_t)(first), (uint64_t)(second), (uint64_t)(third))
