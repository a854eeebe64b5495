/* SPDX-License-Identifier: MIT
 * The free RAM, as a sorted table of ranges that neither touch nor overlap, and the frame caches of the CPUs. The boot
 * CPU owns the table until page_seal; from then on it is read-only and frames only go round between a CPU's cache and
 * the users on that CPU, so nothing here needs ordering. Ranges only ever shrink: frames are not merged back, which
 * keeps boot a straight line of cuts. Absent on purpose: zones, NUMA nodes, freeing of runs. */
#include "mm/page.h"

#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"

#define FREE_RANGES_MAX 256
#define LOWEST_BYTE (UINT64_C(1) << 20) /* below: BIOS data, the AP trampoline, video memory */

/* [base, end), both page-aligned, base < end. */
struct free_range {
    paddr_t base, end;
};

static struct {
    struct free_range ranges[FREE_RANGES_MAX]; /* [I] after page_seal */
    size_t count;
    size_t refused;
    uint64_t total_bytes;
    uint64_t lost_bytes;
    paddr_t ram_end; /* first byte after the highest usable RAM */
    bool sealed;
    uint64_t held_bytes;
    enum page_level level;                  /* as it was told */
    void (*changed)(enum page_level level); /* or NULL */
} pages;

/* Adding never needs more ranges than the map has entries, so that only a cut can run out of them. */
_Static_assert(MEMORY_RANGES_MAX <= FREE_RANGES_MAX, "a map of RAM alone must fit");

static paddr_t round_up(paddr_t address, uint64_t to)
{
    return (address + to - 1) & ~(to - 1);
}

static paddr_t round_down(paddr_t address, uint64_t to)
{
    return address & ~(to - 1);
}

/* The first range that ends at or after `address`; pages.count if there is none. */
static size_t range_find(paddr_t address)
{
    size_t i = 0;
    while (i < pages.count && pages.ranges[i].end < address)
        i++;
    return i;
}

/* Replaces `old` ranges from `at` on by `new` unset ones. The caller sees to it that they fit. */
static void range_replace(size_t at, size_t old, size_t new)
{
    memmove(&pages.ranges[at + new], &pages.ranges[at + old], (pages.count - at - old) * sizeof pages.ranges[0]);
    pages.count += new - old;
}

/* Makes [base, end) free, merged with all it overlaps or touches. */
static void range_add(paddr_t base, paddr_t end)
{
    size_t first = range_find(base), last = first;
    while (last < pages.count && pages.ranges[last].base <= end)
        last++;
    if (last > first) {
        if (pages.ranges[first].base < base)
            base = pages.ranges[first].base;
        if (pages.ranges[last - 1].end > end)
            end = pages.ranges[last - 1].end;
    }
    panic_if(last == first && pages.count == FREE_RANGES_MAX);
    range_replace(first, last - first, 1);
    pages.ranges[first] = (struct free_range){.base = base, .end = end};
}

/* Cuts a hole into the middle of one range. With a full table only one side can be kept: the larger one. */
static void range_split(size_t i, paddr_t base, paddr_t end)
{
    struct free_range low = {.base = pages.ranges[i].base, .end = base};
    struct free_range high = {.base = end, .end = pages.ranges[i].end};
    if (pages.count < FREE_RANGES_MAX) {
        range_replace(i, 1, 2);
        pages.ranges[i] = low;
        pages.ranges[i + 1] = high;
        return;
    }
    bool keep_low = low.end - low.base >= high.end - high.base;
    struct free_range dropped = keep_low ? high : low;
    pages.ranges[i] = keep_low ? low : high;
    pages.lost_bytes += dropped.end - dropped.base;
    log_warn("memory: more than %d free ranges, giving up %#lx bytes at %#lx", FREE_RANGES_MAX,
             dropped.end - dropped.base, dropped.base);
}

/* Makes the page-aligned [base, end) not free. */
static void range_cut(paddr_t base, paddr_t end)
{
    size_t i = range_find(base);
    while (i < pages.count && pages.ranges[i].base < end) {
        struct free_range *r = &pages.ranges[i];
        if (r->base < base && r->end > end) {
            range_split(i, base, end);
            return;
        }
        if (r->base >= base && r->end <= end) {
            range_replace(i, 1, 0);
            continue;
        }
        if (r->base < base)
            r->end = base;
        else
            r->base = end;
        i++;
    }
}

/* Rounds inward: a page that is not wholly RAM is not RAM. */
static void map_add_ram(const struct memory_range *entry)
{
    if (entry->bytes > PAGE_PHYSICAL_LIMIT || entry->base > PAGE_PHYSICAL_LIMIT - entry->bytes) {
        pages.refused++;
        return;
    }
    paddr_t base = round_up(entry->base, PAGE_SIZE), end = round_down(entry->base + entry->bytes, PAGE_SIZE);
    if (base < LOWEST_BYTE)
        base = LOWEST_BYTE;
    if (base < end)
        range_add(base, end);
}

/* Rounds outward. What is cut off lies where no RAM is taken from, so that ignoring it is safe; it is odd all the
 * same. */
static void map_cut_reserved(const struct memory_range *entry)
{
    if (entry->bytes > PAGE_PHYSICAL_LIMIT || entry->base > PAGE_PHYSICAL_LIMIT - entry->bytes)
        pages.refused++;
    page_reserve(entry->base, entry->bytes);
}

static void map_apply(const struct memory_map *map, size_t count, bool ram, void (*apply)(const struct memory_range *))
{
    for (size_t i = 0; i < count; i++) {
        const struct memory_range *entry = &map->ranges[i];
        if (entry->bytes && (entry->type == MEMORY_RAM) == ram)
            apply(entry);
    }
}

enum status page_init(const struct memory_map *map)
{
    size_t count = map->count < MEMORY_RANGES_MAX ? map->count : MEMORY_RANGES_MAX;
    memset(&pages, 0, sizeof pages);
    pages.refused = map->refused + (map->count - count);
    for (size_t i = 0; i < count; i++)
        pages.refused += map->ranges[i].bytes == 0;
    map_apply(map, count, true, map_add_ram);
    map_apply(map, count, false, map_cut_reserved);
    pages.total_bytes = page_free_bytes();
    if (!pages.count)
        return STATUS_FAILED_PRECONDITION;
    pages.ram_end = pages.ranges[pages.count - 1].end;
    assert(page_valid());
    return STATUS_OK;
}

void page_reserve(paddr_t base, uint64_t bytes)
{
    if (!bytes || base >= PAGE_PHYSICAL_LIMIT)
        return;
    uint64_t room = PAGE_PHYSICAL_LIMIT - base;
    paddr_t end = base + (bytes < room ? bytes : room);
    range_cut(round_down(base, PAGE_SIZE), round_up(end, PAGE_SIZE));
    assert(page_valid());
}

enum page_level page_level(void)
{
    uint64_t left = page_free_bytes() - pages.held_bytes;
    if (left >= pages.total_bytes / 8)
        return PAGE_PLENTY;
    if (left >= pages.total_bytes / 16)
        return PAGE_LOW;
    return left ? PAGE_CRITICAL : PAGE_NONE;
}

/* Tells the watcher, if there is something to tell. */
static void look_at_level(void)
{
    if (!pages.changed)
        return;
    enum page_level level = page_level();
    if (level == pages.level)
        return;
    pages.level = level;
    pages.changed(level);
}

void page_watch(void (*changed)(enum page_level level))
{
    pages.changed = changed;
    look_at_level();
}

enum status page_hold(uint64_t bytes)
{
    if (bytes > page_free_bytes())
        return STATUS_OUT_OF_RANGE;
    pages.held_bytes = bytes;
    look_at_level();
    return STATUS_OK;
}

uint64_t page_held_bytes(void)
{
    return pages.held_bytes;
}

/* Lowest fit first: big aligned runs are asked for early, while memory is whole. */
enum status page_alloc_raw(size_t count, size_t align_bytes, paddr_t *out)
{
    if (pages.sealed)
        return STATUS_FAILED_PRECONDITION;
    if (!count || align_bytes < PAGE_SIZE || (align_bytes & (align_bytes - 1)))
        return STATUS_INVALID_ARGUMENT;
    if (count > PAGE_PHYSICAL_LIMIT / PAGE_SIZE || align_bytes > PAGE_PHYSICAL_LIMIT)
        return STATUS_RESOURCE_EXHAUSTED;
    uint64_t bytes = (uint64_t)count * PAGE_SIZE;
    for (size_t i = 0; i < pages.count; i++) {
        paddr_t base = round_up(pages.ranges[i].base, align_bytes);
        if (base >= pages.ranges[i].end || pages.ranges[i].end - base < bytes)
            continue;
        /* point of no return */
        range_cut(base, base + bytes);
        *out = base;
        look_at_level();
        return STATUS_OK;
    }
    return STATUS_RESOURCE_EXHAUSTED;
}

enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out)
{
    enum status s = page_alloc_raw(count, align_bytes, out);
    if (s == STATUS_OK)
        memset(phys_to_virt(*out), 0, count * PAGE_SIZE);
    return s;
}

void page_seal(void)
{
    assert(page_valid());
    pages.sealed = true;
}

uint64_t page_total_bytes(void)
{
    return pages.total_bytes;
}

uint64_t page_free_bytes(void)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < pages.count; i++)
        bytes += pages.ranges[i].end - pages.ranges[i].base;
    return bytes;
}

size_t page_refused(void)
{
    return pages.refused;
}

uint64_t page_lost_bytes(void)
{
    return pages.lost_bytes;
}

bool page_valid(void)
{
    /* One byte less than the lowest address: even the first range then has to lie above what was before. */
    paddr_t before = LOWEST_BYTE - 1;
    if (pages.count > FREE_RANGES_MAX)
        return false;
    for (size_t i = 0; i < pages.count; i++) {
        const struct free_range *r = &pages.ranges[i];
        if (r->base <= before || r->base >= r->end || r->end > PAGE_PHYSICAL_LIMIT)
            return false;
        if (r->base % PAGE_SIZE || r->end % PAGE_SIZE)
            return false;
        before = r->end;
    }
    return true;
}

enum status page_cache_fill(struct page_cache *cache)
{
    if (pages.sealed)
        return STATUS_FAILED_PRECONDITION;
    while (cache->count < PAGE_CACHE_FRAMES) {
        paddr_t frame;
        enum status status = page_alloc(1, PAGE_SIZE, &frame);
        if (status != STATUS_OK)
            return status;
        cache->frames[cache->count++] = frame;
    }
    return STATUS_OK;
}

enum status page_cache_get(struct page_cache *cache, paddr_t *out)
{
    if (!cache->count)
        return STATUS_RESOURCE_EXHAUSTED;
    *out = cache->frames[--cache->count];
    return STATUS_OK;
}

[[maybe_unused]] static bool cache_holds(const struct page_cache *cache, paddr_t frame)
{
    for (uint32_t i = 0; i < cache->count; i++) {
        if (cache->frames[i] == frame)
            return true;
    }
    return false;
}

/* Zeroed on the way in, not out: no earlier owner's bytes outlive the put, and a get is a few instructions. */
enum status page_cache_put(struct page_cache *cache, paddr_t frame)
{
    if (frame % PAGE_SIZE || frame < LOWEST_BYTE || frame >= pages.ram_end)
        return STATUS_INVALID_ARGUMENT;
    if (cache->count >= PAGE_CACHE_FRAMES)
        return STATUS_RESOURCE_EXHAUSTED;
    assert(!cache_holds(cache, frame));
    memset(phys_to_virt(frame), 0, PAGE_SIZE);
    cache->frames[cache->count++] = frame;
    return STATUS_OK;
}
