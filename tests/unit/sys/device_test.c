/* SPDX-License-Identifier: MIT
 * Device memory for processes: what is refused, to the page, and how the rest is mapped. */
#include "sys/device.h"

#include "arch/x86_64/paging.h"
#include "sys/abi/image.h"
#include "sys/image.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define LAPIC UINT64_C(0xfee00000)
#define HPET UINT64_C(0xfed00400) /* not at the start of its page */
#define OWN UINT64_C(0xfec00000)

static const struct memory_map map = {.count = 7,
                                      .ranges = {{0, 0x9fc00, MEMORY_RAM},
                                                 {0xf0000, 0x10000, MEMORY_RESERVED},
                                                 {0x100000, 0xff00000, MEMORY_RAM},
                                                 {0x10000000, 0x20000, MEMORY_ACPI},
                                                 {0x10020000, 0x1000, MEMORY_NVS},
                                                 {0x10030000, 0x800, MEMORY_UNUSABLE},
                                                 {UINT64_C(0x100000000), UINT64_MAX, MEMORY_RAM}}};

static struct {
    unsigned count;
    vaddr_t v;
    paddr_t p;
    uint64_t bytes;
    uint32_t flags;
} mapped;

bool paging_has_registers(paddr_t p, uint64_t bytes)
{
    return p < OWN + PAGE_SIZE && p + bytes > OWN;
}

enum status paging_map(paddr_t root, vaddr_t v, paddr_t p, uint64_t bytes, uint32_t flags)
{
    cr_assert(eq(u64, root, 0x1234000));
    mapped.count++;
    mapped.v = v;
    mapped.p = p;
    mapped.bytes = bytes;
    mapped.flags = flags;
    return mapped.count == 3 ? STATUS_RESOURCE_EXHAUSTED : STATUS_OK;
}

static void begin(void)
{
    device_init(&map, LAPIC, HPET);
}

TestSuite(device, .init = begin);

static bool may(paddr_t p, uint64_t bytes)
{
    return !device_refusal(p, bytes);
}

Test(device, not_where_memory_is)
{
    static const struct {
        paddr_t p;
        uint64_t bytes;
        bool may;
    } cases[] = {
        {0, 0x1000, false},
        {0x9f000, 0x1000, false}, /* its last page is not whole */
        {0xa0000, 0x20000, true},
        {0xf0000, 0x10000, true}, /* reserved is what firmware calls device memory too */
        {0xf0000, 0x11000, false},
        {0x100000, 0x1000, false},
        {0xffff000, 0x1000, false},
        {0x10000000, 0x1000, false},
        {0x1001f000, 0x1000, false},
        {0x10020000, 0x1000, false},
        {0x10021000, 0xf000, true},
        {0x10030000, 0x1000, false},
        {0x10031000, 0x1000, true},
        {0xa0000, 0x100000000, false}, /* over everything */
        {0xe0000000, 0x10000000, true},
        {0xfffff000, 0x1000, true},
        {0xfffff000, 0x2000, false},
        {UINT64_C(0x8000000000), 0x1000, false}, /* the last entry has no end */
        {IMAGE_PHYSICAL_END - 0x1000, 0x1000, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert(eq(int, may(cases[i].p, cases[i].bytes), cases[i].may), "%#lx + %#lx", cases[i].p, cases[i].bytes);
}

Test(device, not_the_kernels_own)
{
    static const paddr_t pages[] = {LAPIC, HPET & ~UINT64_C(0xfff), OWN};
    for (size_t i = 0; i < 3; i++) {
        cr_assert(eq(int, may(pages[i], 0x1000), 0));
        cr_assert(eq(int, may(pages[i] - 0x1000, 0x3000), 0));
        cr_assert(may(pages[i] - 0x1000, 0x1000));
        cr_assert(may(pages[i] + 0x1000, 0x1000));
    }
    device_init(&map, LAPIC, 0); /* no HPET: it is not at address 0 either */
    cr_assert(may(HPET & ~UINT64_C(0xfff), 0x1000));
}

static struct {
    struct image_header header;
    struct image_device devices[4];
} image = {.header = {.devices_offset = sizeof(struct image_header), .devices = 4},
           .devices = {{0x1e00000, 0xa0000, 0x2000, 0, IMAGE_DEVICE_MEMORY},
                       {0, 0x3f8, 8, 0, IMAGE_DEVICE_PORTS},
                       {0x1f00000, 0xe0000000, 0x1000, 0, IMAGE_DEVICE_MEMORY},
                       {0x2e00000, LAPIC, 0x1000, 1, IMAGE_DEVICE_MEMORY}}};

Test(device, a_process_gets_its_own)
{
    struct process p = {.name = "p"};
    const struct image_process from = {.first_device = 0, .devices = 2};
    cr_assert(eq(int, device_load(&image.header, &from, 0x1234000, &p), STATUS_OK));
    cr_assert(p.devices == image.devices);
    cr_assert(eq(u32, p.device_count, 2));
    cr_assert(eq(u32, mapped.count, 1), "ports are not memory");
    cr_assert(eq(u64, mapped.v, 0x1e00000));
    cr_assert(eq(u64, mapped.p, 0xa0000));
    cr_assert(eq(u64, mapped.bytes, 0x2000));
    cr_assert(eq(u32, mapped.flags, PAGE_USER | PAGE_WRITE | PAGE_UNCACHED));
}

Test(device, refusals_end_the_load)
{
    struct process p = {.name = "p"};
    const struct image_process bad = {.first_device = 3, .devices = 1}, none = {.first_device = 4, .devices = 0};
    cr_assert(eq(int, device_load(&image.header, &bad, 0x1234000, &p), STATUS_PERMISSION_DENIED));
    cr_assert(eq(u32, mapped.count, 0));
    cr_assert(eq(int, device_load(&image.header, &none, 0x1234000, &p), STATUS_OK));
    cr_assert(eq(u32, p.device_count, 0));
    mapped.count = 2;
    const struct image_process out_of_memory = {.first_device = 2, .devices = 2};
    cr_assert(eq(int, device_load(&image.header, &out_of_memory, 0x1234000, &p), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(u32, mapped.count, 3));
}
