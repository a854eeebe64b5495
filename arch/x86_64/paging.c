/* SPDX-License-Identifier: MIT
 * Four-level page tables. Tables come from page_alloc and are reached through the direct map, which the boot tables
 * provide for the first 4 GiB: all tables are allocated lowest first, so building the final map needs nothing above.
 * W^X holds for every alias: the kernel's text and read-only data are read-only in the direct map too. */
#include "arch/x86_64/paging.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/features.h"
#include "sys/lib/panic.h"

#include <arch/control.h>
#include <arch/cpu.h>
#include <arch/percpu.h>
#include <stdbool.h>

#define ENTRY_PRESENT UINT64_C(1)
#define ENTRY_WRITE UINT64_C(2)
#define ENTRY_USER UINT64_C(4)
#define ENTRY_WRITE_THROUGH UINT64_C(8)
#define ENTRY_UNCACHED UINT64_C(16)
#define ENTRY_ACCESSED UINT64_C(0x20)
#define ENTRY_DIRTY UINT64_C(0x40)
#define ENTRY_LARGE UINT64_C(0x80)
#define ENTRY_GLOBAL UINT64_C(0x100)
#define ENTRY_NO_EXECUTE (UINT64_C(1) << 63)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

#define LARGE_BYTES UINT64_C(0x200000)
#define MMIO_BASE UINT64_C(0xffffc00000000000)
#define STACK_BASE UINT64_C(0xffffd00000000000)

extern char kernel_load_start[], _text[], kernel_text_end[], kernel_rodata_start[], kernel_rodata_end[],
    kernel_data_start[], kernel_end[];

paddr_t paging_root; /* [I] the kernel's own tables; ap_boot.S reads it */
static vaddr_t mmio_next = MMIO_BASE;
static vaddr_t stack_next = STACK_BASE;

static uint64_t *table_at(paddr_t p)
{
    return phys_to_virt(p & ENTRY_ADDRESS);
}

static unsigned int index_at(vaddr_t v, unsigned int level)
{
    return (v >> (12 + 9 * level)) & 511;
}

static uint64_t entry_flags(uint32_t flags)
{
    uint64_t e = ENTRY_PRESENT | ENTRY_ACCESSED;
    if (flags & PAGE_WRITE)
        e |= ENTRY_WRITE | ENTRY_DIRTY;
    if (!(flags & PAGE_EXECUTE))
        e |= ENTRY_NO_EXECUTE;
    if (flags & PAGE_USER)
        e |= ENTRY_USER;
    else
        e |= ENTRY_GLOBAL;
    if (flags & PAGE_UNCACHED)
        e |= ENTRY_UNCACHED | ENTRY_WRITE_THROUGH;
    return e;
}

/* The entry for `v` at `level` (0: 4 KiB pages, 1: 2 MiB), making the tables above it. */
static enum status entry_find(paddr_t root, vaddr_t v, unsigned int level, uint64_t **out)
{
    uint64_t *table = table_at(root);
    for (unsigned int l = 3; l > level; l--) {
        uint64_t *e = &table[index_at(v, l)];
        if (!(*e & ENTRY_PRESENT)) {
            paddr_t fresh;
            enum status s = page_alloc(1, PAGE_SIZE, &fresh);
            if (s != STATUS_OK)
                return s;
            *e = fresh | ENTRY_PRESENT | ENTRY_WRITE | (v < DIRECT_MAP_BASE ? ENTRY_USER : 0);
        }
        if (*e & ENTRY_LARGE)
            return STATUS_ALREADY_EXISTS;
        table = table_at(*e);
    }
    *out = &table[index_at(v, level)];
    return STATUS_OK;
}

enum status paging_map(paddr_t root, vaddr_t v, paddr_t p, uint64_t bytes, uint32_t flags)
{
    if ((flags & PAGE_WRITE) && (flags & PAGE_EXECUTE))
        return STATUS_INVALID_ARGUMENT;
    while (bytes) {
        bool large = !((v | p) & (LARGE_BYTES - 1)) && bytes >= LARGE_BYTES;
        uint64_t *entry, step = large ? LARGE_BYTES : PAGE_SIZE;
        enum status s = entry_find(root, v, large ? 1 : 0, &entry);
        if (s != STATUS_OK)
            return s;
        /* One walk serves all entries of its table. */
        uint64_t value = p | entry_flags(flags) | (large ? ENTRY_LARGE : 0);
        uint64_t left = 512 - index_at(v, large ? 1 : 0), wanted = bytes / step;
        uint64_t n = wanted < left ? wanted : left;
        for (uint64_t i = 0; i < n; i++)
            entry[i] = value + i * step;
        v += n * step;
        p += n * step;
        bytes -= n * step;
    }
    return STATUS_OK;
}

static void map_or_panic(vaddr_t v, paddr_t p, uint64_t bytes, uint32_t flags)
{
    enum status s = paging_map(paging_root, v, p, bytes, flags);
    if (s != STATUS_OK)
        panic("cannot map %#lx bytes at %#lx: status %d", bytes, v, (int)s);
}

/* One section of the kernel's ELF at its link address, and its alias in the direct map without execute. */
static void map_section(const char *start, const char *end, uint32_t flags)
{
    vaddr_t v = (vaddr_t)start;
    uint64_t bytes = ((uint64_t)(end - start) + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    map_or_panic(v, virt_to_phys(start), bytes, flags);
    map_or_panic(DIRECT_MAP_BASE + virt_to_phys(start), virt_to_phys(start), bytes, flags & PAGE_WRITE);
}

/* A range of the direct map, outside the kernel's own 2 MiB pages, which map_section fills page by page. */
static void map_direct(paddr_t start, paddr_t end, paddr_t hole_start, paddr_t hole_end)
{
    if (start < hole_start && end > start)
        map_or_panic(DIRECT_MAP_BASE + start, start, (end < hole_start ? end : hole_start) - start, PAGE_WRITE);
    if (start < hole_start)
        start = hole_start;
    paddr_t inside_end = end < hole_end ? end : hole_end;
    paddr_t kernel_start = virt_to_phys(_text), kernel_stop = virt_to_phys(kernel_end);
    if (start < inside_end && start < kernel_start)
        map_or_panic(DIRECT_MAP_BASE + start, start, (inside_end < kernel_start ? inside_end : kernel_start) - start,
                     PAGE_WRITE);
    if (start < inside_end && inside_end > kernel_stop) {
        paddr_t after = start > kernel_stop ? start : kernel_stop;
        map_or_panic(DIRECT_MAP_BASE + after, after, inside_end - after, PAGE_WRITE);
    }
    if (start < hole_end)
        start = hole_end;
    if (end > start)
        map_or_panic(DIRECT_MAP_BASE + start, start, end - start, PAGE_WRITE);
}

void paging_init(const struct memory_map *map)
{
    panic_if(page_alloc(1, PAGE_SIZE, &paging_root) != STATUS_OK);
    paddr_t hole_start = (paddr_t)kernel_load_start & ~(LARGE_BYTES - 1);
    paddr_t hole_end = (virt_to_phys(kernel_end) + LARGE_BYTES - 1) & ~(LARGE_BYTES - 1);
    map_section(_text, kernel_text_end, PAGE_EXECUTE);
    map_section(kernel_rodata_start, kernel_rodata_end, 0);
    map_section(kernel_data_start, kernel_end, PAGE_WRITE);
    map_direct(0, 0x100000, hole_start, hole_end); /* BIOS data, MP table, the other CPUs' first page */
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_range *r = &map->ranges[i];
        paddr_t start = (r->base + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
        paddr_t end = (r->base + r->bytes) & ~(uint64_t)(PAGE_SIZE - 1);
        if (r->type == MEMORY_RAM && end > 0x100000 && end <= PAGE_PHYSICAL_LIMIT)
            map_direct(start < 0x100000 ? 0x100000 : start, end, hole_start, hole_end);
    }
    /* Every process shares the kernel half by its top-level entries, so all of them must exist from now on. */
    uint64_t *root = table_at(paging_root), *unused;
    for (unsigned int i = 256; i < 512; i++)
        if (!(root[i] & ENTRY_PRESENT) && (i == index_at(MMIO_BASE, 3) || i == index_at(STACK_BASE, 3)))
            panic_if(entry_find(paging_root, (uint64_t)i << 39 | UINT64_C(0xffff) << 48, 2, &unused) != STATUS_OK);
    paging_activate();
}

void paging_activate(void)
{
    const struct cpu_features *f = features_get();
    cr4_write(CR4_PAE | CR4_PGE | (f->mce ? CR4_MCE : 0) | (f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0) |
              (f->umip ? CR4_UMIP : 0));
    cr3_write(paging_root);
    if (f->pcid)
        cr4_write(cr4_read() | CR4_PCIDE);
    cr0_write(CR0_PG | CR0_PE | CR0_WP | CR0_NE | CR0_MP | CR0_TS);
}

enum status paging_create(paddr_t *root)
{
    enum status s = page_alloc(1, PAGE_SIZE, root);
    if (s != STATUS_OK)
        return s;
    for (unsigned int i = 256; i < 512; i++)
        table_at(*root)[i] = table_at(paging_root)[i];
    return STATUS_OK;
}

uint64_t paging_cr3(paddr_t root, uint32_t index)
{
    const uint64_t no_flush = UINT64_C(1) << 63;
    return features_get()->pcid ? (root | (index + 1) | no_flush) : root;
}

/* A place of its own for physical memory that is not in the direct map. The limit is the CPU's own:
 * Cloud Hypervisor puts BARs just below it. */
static void *window_map(paddr_t p, size_t bytes, uint32_t flags)
{
    paddr_t first = p & ~(uint64_t)(PAGE_SIZE - 1);
    uint64_t span = ((p - first) + bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
    if (!bytes || p + bytes < p || (p + bytes - 1) >> features_get()->physical_bits)
        return NULL;
    vaddr_t v = mmio_next;
    if (paging_map(paging_root, v, first, span, PAGE_WRITE | flags) != STATUS_OK)
        return NULL;
    mmio_next += span + PAGE_SIZE;
    return (void *)(v + (p - first));
}

void *mmio_map(paddr_t p, size_t bytes)
{
    return window_map(p, bytes, PAGE_UNCACHED);
}

void *shared_map(paddr_t p, size_t bytes)
{
    return window_map(p, bytes, 0);
}

/* The entry that maps `v`, or the first on the way there that is not present; *bytes: how much it stands for. */
static uint64_t entry_last(vaddr_t v, uint64_t *bytes)
{
    const uint64_t *table = table_at(paging_root);
    unsigned int level = 3;
    uint64_t entry = table[index_at(v, level)];
    while (level && (entry & ENTRY_PRESENT) && !(entry & ENTRY_LARGE))
        entry = table_at(entry)[index_at(v, --level)];
    *bytes = UINT64_C(1) << (12 + 9 * level);
    return entry;
}

bool paging_has_registers(paddr_t p, uint64_t bytes)
{
    uint64_t step;
    for (vaddr_t v = MMIO_BASE; v < mmio_next; v += step) {
        const uint64_t entry = entry_last(v, &step);
        const paddr_t at = entry & ENTRY_ADDRESS;
        if ((entry & ENTRY_PRESENT) && (at <= p ? p - at < step : at - p < bytes))
            return true;
    }
    return false;
}

void *paging_guarded_stack(size_t bytes)
{
    paddr_t p;
    panic_if(page_alloc(bytes / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK);
    vaddr_t v = stack_next + PAGE_SIZE;
    map_or_panic(v, p, bytes, PAGE_WRITE);
    stack_next = v + bytes;
    return (void *)(v + bytes);
}
