/* SPDX-License-Identifier: MIT
 * SYSENTER at every place where a process could execute it, and its bytes where it could not. */
#include "sys/vdso/sysenter.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>

enum { BYTES = 64, REGIONS = 4 };
#define BASE UINT64_C(0x01000000)

static unsigned char memory[REGIONS][BYTES]; /* each elsewhere for the kernel, side by side for the process */
static struct region regions[REGIONS];

static void setup(void)
{
    memset(memory, 0x90, sizeof(memory));
    for (uint32_t i = 0; i < REGIONS; i++)
        regions[i] = (struct region){.end = BASE + (i + 1) * BYTES,
                                     .bytes = BYTES,
                                     .to_kernel = (uint64_t)memory[REGIONS - 1 - i] - (BASE + i * BYTES),
                                     .flags = IMAGE_REGION_READ | IMAGE_REGION_EXECUTE};
}

static void put(uint64_t address, unsigned char byte)
{
    *(unsigned char *)(address + regions[(address - BASE) / BYTES].to_kernel) = byte;
}

Test(sysenter, none, .init = setup)
{
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0));
    cr_assert(eq(u64, sysenter_find(regions, 0), 0));
    put(BASE + REGIONS * BYTES - 1, 0x0f); /* and nothing behind it */
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0));
    put(BASE + 5, 0x0f), put(BASE + 6, 0x05); /* SYSCALL is another matter */
    put(BASE + 8, 0x34), put(BASE + 9, 0x0f);
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0));
}

Test(sysenter, at_every_byte, .init = setup)
{
    for (uint64_t address = BASE; address < BASE + REGIONS * BYTES - 1; address++) {
        put(address, 0x0f), put(address + 1, 0x34);
        cr_assert(eq(u64, sysenter_find(regions, REGIONS), address));
        put(address, 0x90), put(address + 1, 0x90);
    }
}

Test(sysenter, only_where_it_can_be_executed, .init = setup)
{
    uint64_t end = regions[1].end;
    put(end - 1, 0x0f), put(end, 0x34); /* half in 1, half in 2 */
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), end - 1));
    regions[2].flags = IMAGE_REGION_READ;
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0), "the second half cannot");
    regions[2].flags |= IMAGE_REGION_EXECUTE;
    regions[1].flags = IMAGE_REGION_READ;
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0), "the first half cannot");
    put(BASE + BYTES + 7, 0x0f), put(BASE + BYTES + 8, 0x34);
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0), "data");
    put(BASE + 3 * BYTES + 7, 0x0f), put(BASE + 3 * BYTES + 8, 0x34);
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), BASE + 3 * BYTES + 7), "behind the data");
}

Test(sysenter, regions_that_do_not_meet, .init = setup)
{
    put(regions[1].end - 1, 0x0f), put(regions[1].end, 0x34);
    regions[2].end += 4096;
    regions[2].to_kernel -= 4096;
    cr_assert(eq(u64, sysenter_find(regions, REGIONS), 0));
}
