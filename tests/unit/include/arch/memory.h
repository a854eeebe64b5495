/* SPDX-License-Identifier: MIT
 * Host stand-in: "physical memory" is a window that the test provides; phys_to_virt outside it aborts the test. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;
typedef uint64_t vaddr_t;

#define PAGE_SIZE 4096u

/* The test sets these: physical [test_phys_base, + test_phys_bytes) is the array test_phys. */
extern unsigned char *test_phys;
extern uint64_t test_phys_base, test_phys_bytes;

void *phys_to_virt(paddr_t p);
paddr_t virt_to_phys(const void *v);
void *mmio_map(paddr_t p, size_t bytes);
