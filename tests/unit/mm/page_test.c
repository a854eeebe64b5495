/* SPDX-License-Identifier: MIT
 * The page allocator: hostile boot maps against a bitmap that knows nothing of ranges, the alloc contract, the
 * fall-back when the range table is full, and the frame caches. Physical memory is an 8 MiB window at 1 MiB; beyond it
 * nothing is touched. */
#include "mm/page.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define MIB (UINT64_C(1) << 20)
#define WINDOW_PAGES 2048u
#define TABLE_RANGES 256 /* what page.c has room for */

static struct memory_map map;

static void add(paddr_t base, uint64_t bytes, uint32_t type)
{
    map.ranges[map.count++] = (struct memory_range){.base = base, .bytes = bytes, .type = type};
}

static void window_open(void)
{
    test_phys_base = MIB;
    test_phys_bytes = WINDOW_PAGES * PAGE_SIZE;
    test_phys = malloc(test_phys_bytes);
    memset(test_phys, 0xa5, test_phys_bytes);
}

static void window_close(void)
{
    free(test_phys);
}

/* All of the window as RAM. */
static void start(void)
{
    add(MIB, test_phys_bytes, MEMORY_RAM);
    cr_assert(eq(int, page_init(&map), STATUS_OK));
}

static bool is_zero(paddr_t p, size_t bytes)
{
    const unsigned char *at = phys_to_virt(p);
    return !at[0] && !memcmp(at, at + 1, bytes - 1);
}

TestSuite(page, .init = window_open, .fini = window_close);

Test(page, unsorted_overlapping_ram_is_merged)
{
    add(5 * MIB, MIB, MEMORY_RAM);
    add(2 * MIB, MIB, MEMORY_RAM);
    add(2 * MIB + 4096, 2 * MIB, MEMORY_RAM); /* overlaps the last */
    add(1 * MIB, MIB, MEMORY_RAM);            /* touches it */
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(page_valid());
    cr_assert(eq(u64, page_total_bytes(), 4 * MIB + 4096));
    paddr_t run;
    cr_assert(eq(int, page_alloc(769, PAGE_SIZE, &run), STATUS_OK), "one range from 1 MiB to 4 MiB and a page");
    cr_assert(eq(u64, run, MIB));
    cr_assert(eq(u64, page_free_bytes(), MIB));
}

Test(page, reserved_wins_whatever_the_order)
{
    add(3 * MIB + 100, 1, MEMORY_RESERVED); /* one byte costs its page */
    add(MIB, 4 * MIB, MEMORY_RAM);
    add(2 * MIB, PAGE_SIZE, MEMORY_ACPI);
    add(4 * MIB, PAGE_SIZE, 77); /* of no known type */
    add(MIB, PAGE_SIZE, MEMORY_UNUSABLE);
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(page_valid());
    cr_assert(eq(u64, page_total_bytes(), 4 * MIB - 4 * PAGE_SIZE));
    cr_assert(eq(sz, page_refused(), 0));
}

Test(page, ram_is_rounded_inward_and_starts_at_one_mebibyte)
{
    add(0, 2 * MIB + 1, MEMORY_RAM);
    add(3 * MIB - 1, PAGE_SIZE + 1, MEMORY_RAM);
    add(5 * MIB + 1, PAGE_SIZE, MEMORY_RAM); /* not one whole page */
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(eq(u64, page_total_bytes(), MIB + PAGE_SIZE));
    paddr_t run;
    cr_assert(eq(int, page_alloc(1, PAGE_SIZE, &run), STATUS_OK));
    cr_assert(eq(u64, run, MIB));
}

Test(page, bad_entries_are_refused_and_counted)
{
    map.refused = 5; /* what the reader of the map refused before */
    add(MIB, MIB, MEMORY_RAM);
    add(4 * MIB, 0, MEMORY_RAM);                            /* no bytes */
    add(UINT64_MAX - PAGE_SIZE, 2 * PAGE_SIZE, MEMORY_RAM); /* wraps */
    add(UINT64_MAX, UINT64_MAX, MEMORY_RAM);                /* wraps */
    add(MIB, PAGE_PHYSICAL_LIMIT, MEMORY_RAM);              /* passes the limit */
    add(PAGE_PHYSICAL_LIMIT, PAGE_SIZE, MEMORY_RAM);        /* lies behind it */
    add(0, 0, 0);
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(eq(u64, page_total_bytes(), MIB));
    cr_assert(eq(sz, page_refused(), 5 + 6));
}

Test(page, ram_up_to_the_limit_is_taken)
{
    add(PAGE_PHYSICAL_LIMIT - MIB, MIB, MEMORY_RAM);
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(eq(u64, page_total_bytes(), MIB));
    cr_assert(page_valid());
}

Test(page, a_wrapping_reserved_entry_still_reserves)
{
    add(MIB, 4 * MIB, MEMORY_RAM);
    add(2 * MIB, UINT64_MAX, MEMORY_RESERVED);
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(eq(u64, page_total_bytes(), MIB));
    cr_assert(eq(sz, page_refused(), 1));
}

Test(page, a_count_beyond_the_array_is_cut)
{
    for (size_t i = 0; i < MEMORY_RANGES_MAX; i++)
        add((i + 1) * MIB, PAGE_SIZE, MEMORY_RAM);
    map.count = SIZE_MAX;
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(eq(u64, page_total_bytes(), MEMORY_RANGES_MAX * PAGE_SIZE));
    cr_assert(eq(sz, page_refused(), SIZE_MAX - MEMORY_RANGES_MAX));
}

Test(page, no_ram_is_an_error)
{
    paddr_t run;
    cr_assert(eq(int, page_init(&map), STATUS_FAILED_PRECONDITION));
    add(0, MIB, MEMORY_RAM);
    add(2 * MIB, MIB, MEMORY_RAM);
    add(2 * MIB, MIB, MEMORY_RESERVED);
    cr_assert(eq(int, page_init(&map), STATUS_FAILED_PRECONDITION));
    cr_assert(eq(int, page_alloc(1, PAGE_SIZE, &run), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(page_valid());
}

/* Bytes [base, end) of the first 4 MiB + 16 pages, one flag a page; the model has no ranges. */
#define MODEL_PAGES (256 + 64)
static bool model[MODEL_PAGES];

static void model_apply(const struct memory_range *r, bool ram)
{
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        uint64_t first = page * PAGE_SIZE, last = first + PAGE_SIZE - 1, end = r->base + r->bytes - 1;
        if (!r->bytes)
            continue;
        if (ram && page >= 256 && r->base <= first && end >= last)
            model[page] = true;
        if (!ram && r->base <= last && end >= first)
            model[page] = false;
    }
}

Test(page, random_maps_agree_with_a_bitmap)
{
    unsigned seed = 1;
    for (int round = 0; round < 3000; round++) {
        memset(model, 0, sizeof model);
        map.count = 0;
        size_t entries = (size_t)rand_r(&seed) % 40;
        for (size_t i = 0; i < entries; i++) {
            paddr_t base = MIB - 8 * PAGE_SIZE + (paddr_t)rand_r(&seed) % (60 * PAGE_SIZE);
            uint64_t bytes = (uint64_t)rand_r(&seed) % (rand_r(&seed) % 2 ? 12 * PAGE_SIZE : 3);
            if (rand_r(&seed) % 2)
                base &= ~(paddr_t)(PAGE_SIZE - 1), bytes &= ~(uint64_t)(PAGE_SIZE - 1);
            add(base, bytes, rand_r(&seed) % 3 ? MEMORY_RAM : MEMORY_RESERVED);
        }
        for (size_t i = 0; i < entries; i++)
            if (map.ranges[i].type == MEMORY_RAM)
                model_apply(&map.ranges[i], true);
        for (size_t i = 0; i < entries; i++)
            if (map.ranges[i].type != MEMORY_RAM)
                model_apply(&map.ranges[i], false);
        enum status status = page_init(&map);
        cr_assert(page_valid());
        uint64_t want = 0;
        for (size_t i = 0; i < MODEL_PAGES; i++)
            want += model[i];
        cr_assert(eq(int, status, want ? STATUS_OK : STATUS_FAILED_PRECONDITION));
        cr_assert(eq(u64, page_free_bytes(), want * PAGE_SIZE), "round %d", round);
        paddr_t frame, before = 0;
        while (page_alloc(1, PAGE_SIZE, &frame) == STATUS_OK) {
            cr_assert(frame > before && model[frame / PAGE_SIZE], "round %d: frame %#lx", round, frame);
            model[frame / PAGE_SIZE] = false;
            before = frame;
        }
        cr_assert(eq(u64, page_free_bytes(), 0));
    }
}

Test(page, random_bytes_as_a_map_do_no_harm)
{
    unsigned seed = 2;
    for (int round = 0; round < 20000; round++) {
        unsigned char *bytes = (unsigned char *)&map;
        for (size_t i = 0; i < sizeof map; i++)
            bytes[i] = (unsigned char)(rand_r(&seed) >> 5);
        map.count = (size_t)rand_r(&seed) % 200;
        for (size_t i = 0; i < MEMORY_RANGES_MAX; i++) {
            map.ranges[i].base >>= rand_r(&seed) % 64;
            map.ranges[i].bytes >>= rand_r(&seed) % 64;
            map.ranges[i].type %= 3;
        }
        (void)page_init(&map);
        page_reserve(map.ranges[0].base, map.ranges[1].bytes);
        cr_assert(page_valid());
    }
}

Test(page, reserve_cuts_and_takes_any_range)
{
    start();
    uint64_t all = page_free_bytes();
    page_reserve(3 * MIB + 5, 0);
    page_reserve(PAGE_PHYSICAL_LIMIT + MIB, MIB);
    page_reserve(0, MIB);
    cr_assert(eq(u64, page_free_bytes(), all));
    page_reserve(2 * MIB + 5, PAGE_SIZE - 4); /* ends in the next page */
    cr_assert(eq(u64, page_free_bytes(), all - 2 * PAGE_SIZE));
    page_reserve(2 * MIB, PAGE_SIZE); /* again */
    cr_assert(eq(u64, page_free_bytes(), all - 2 * PAGE_SIZE));
    page_reserve(8 * MIB, UINT64_MAX); /* wraps */
    cr_assert(eq(u64, page_free_bytes(), all - MIB - 2 * PAGE_SIZE));
    page_reserve(0, UINT64_MAX);
    cr_assert(eq(u64, page_free_bytes(), 0));
    cr_assert(eq(u64, page_total_bytes(), all));
}

Test(page, alloc_gives_aligned_zeroed_runs_lowest_first)
{
    paddr_t a, b, c, d;
    start();
    cr_assert(eq(int, page_alloc(3, PAGE_SIZE, &a), STATUS_OK));
    cr_assert(eq(int, page_alloc(2, 2 * MIB, &b), STATUS_OK));
    cr_assert(eq(int, page_alloc(1, PAGE_SIZE, &c), STATUS_OK));
    cr_assert(eq(int, page_alloc(600, PAGE_SIZE, &d), STATUS_OK));
    cr_assert(eq(u64, a, MIB));
    cr_assert(eq(u64, b, 2 * MIB));
    cr_assert(eq(u64, c, MIB + 3 * PAGE_SIZE), "the gap before an aligned run is used");
    cr_assert(eq(u64, d, 2 * MIB + 2 * PAGE_SIZE));
    cr_assert(is_zero(a, 4 * PAGE_SIZE));
    cr_assert(is_zero(b, 602 * PAGE_SIZE));
    const unsigned char *behind = phys_to_virt(d + 600 * PAGE_SIZE);
    cr_assert(eq(int, *behind, 0xa5), "nothing but the run is zeroed");
    cr_assert(eq(u64, page_free_bytes(), test_phys_bytes - 606 * PAGE_SIZE));
}

Test(page, alloc_refuses_what_it_cannot_give)
{
    paddr_t run = 7;
    start();
    uint64_t all = page_free_bytes();
    cr_assert(eq(int, page_alloc(0, PAGE_SIZE, &run), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_alloc(1, 0, &run), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_alloc(1, 2048, &run), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_alloc(1, 3 * PAGE_SIZE, &run), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_alloc(WINDOW_PAGES + 1, PAGE_SIZE, &run), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, page_alloc(SIZE_MAX, PAGE_SIZE, &run), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, page_alloc(SIZE_MAX / PAGE_SIZE + 2, PAGE_SIZE, &run), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, page_alloc(1, 16 * MIB, &run), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, page_alloc(1, UINT64_C(1) << 63, &run), STATUS_RESOURCE_EXHAUSTED));
    page_seal();
    cr_assert(eq(int, page_alloc(1, PAGE_SIZE, &run), STATUS_FAILED_PRECONDITION));
    cr_assert(eq(u64, run, 7));
    cr_assert(eq(u64, page_free_bytes(), all));
}

Test(page, a_full_table_gives_up_the_smaller_piece)
{
    start();
    /* Every second page reserved makes as many ranges as the table holds. */
    for (uint64_t i = 0; i < TABLE_RANGES - 1; i++)
        page_reserve(MIB + (2 * i + 1) * PAGE_SIZE, 1);
    cr_assert(eq(u64, page_lost_bytes(), 0));
    uint64_t before = page_free_bytes();
    paddr_t last_base = MIB + 2 * (TABLE_RANGES - 1) * PAGE_SIZE;
    page_reserve(last_base + 3 * PAGE_SIZE, 1); /* three pages below, many above */
    cr_assert(page_valid());
    cr_assert(eq(u64, page_lost_bytes(), 3 * PAGE_SIZE));
    cr_assert(eq(u64, page_free_bytes(), before - 4 * PAGE_SIZE));
    paddr_t end = MIB + test_phys_bytes;
    page_reserve(end - 2 * PAGE_SIZE, 1); /* one page above */
    cr_assert(eq(u64, page_lost_bytes(), 4 * PAGE_SIZE));
    cr_assert(eq(u64, page_free_bytes(), before - 6 * PAGE_SIZE));
    cr_assert(page_valid());
}

Test(page, cache_goes_round_after_the_seal)
{
    static struct page_cache cache, other;
    paddr_t frames[PAGE_CACHE_FRAMES], extra;
    start();
    cr_assert(eq(int, page_cache_get(&cache, &extra), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, page_cache_fill(&cache), STATUS_OK));
    cr_assert(eq(int, page_cache_fill(&cache), STATUS_OK), "already full");
    cr_assert(eq(u64, page_free_bytes(), test_phys_bytes - PAGE_CACHE_FRAMES * PAGE_SIZE));
    page_seal();
    cr_assert(eq(int, page_cache_fill(&other), STATUS_FAILED_PRECONDITION));
    for (size_t i = 0; i < PAGE_CACHE_FRAMES; i++) {
        cr_assert(eq(int, page_cache_get(&cache, &frames[i]), STATUS_OK));
        for (size_t j = 0; j < i; j++)
            cr_assert(ne(u64, frames[i], frames[j]));
        cr_assert(is_zero(frames[i], PAGE_SIZE));
        memset(phys_to_virt(frames[i]), 0x11, PAGE_SIZE);
    }
    cr_assert(eq(int, page_cache_get(&cache, &extra), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, page_cache_put(&other, frames[0]), STATUS_OK), "frames move between caches through their users");
    cr_assert(eq(int, page_cache_get(&other, &extra), STATUS_OK));
    cr_assert(eq(u64, extra, frames[0]));
    cr_assert(is_zero(extra, PAGE_SIZE), "the last owner's bytes are gone");
    for (size_t i = 0; i < PAGE_CACHE_FRAMES; i++)
        cr_assert(eq(int, page_cache_put(&cache, frames[i]), STATUS_OK));
    cr_assert(eq(u64, page_free_bytes(), test_phys_bytes - PAGE_CACHE_FRAMES * PAGE_SIZE));
}

Test(page, cache_refuses_strange_and_surplus_frames)
{
    static struct page_cache cache;
    paddr_t surplus;
    start();
    cr_assert(eq(int, page_alloc(1, PAGE_SIZE, &surplus), STATUS_OK));
    cr_assert(eq(int, page_cache_put(&cache, surplus + 8), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_cache_put(&cache, 0), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_cache_put(&cache, MIB + test_phys_bytes), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_cache_put(&cache, UINT64_MAX - PAGE_SIZE + 1), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, page_cache_fill(&cache), STATUS_OK));
    memset(phys_to_virt(surplus), 0x22, PAGE_SIZE);
    cr_assert(eq(int, page_cache_put(&cache, surplus), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(int, *(unsigned char *)phys_to_virt(surplus), 0x22), "a refused frame is untouched");
}

Test(page, cache_keeps_what_there_was)
{
    static struct page_cache cache;
    add(MIB, 5 * PAGE_SIZE, MEMORY_RAM);
    cr_assert(eq(int, page_init(&map), STATUS_OK));
    cr_assert(eq(int, page_cache_fill(&cache), STATUS_RESOURCE_EXHAUSTED));
    cr_assert(eq(u32, cache.count, 5));
}

Test(page, a_frame_put_twice_is_caught_in_debug_builds, .signal = SIGABRT)
{
    static struct page_cache cache;
    paddr_t frame;
    start();
    cr_assert(eq(int, page_alloc(1, PAGE_SIZE, &frame), STATUS_OK));
    cr_assert(eq(int, page_cache_put(&cache, frame), STATUS_OK));
    (void)page_cache_put(&cache, frame);
}

static enum page_level levels[8];
static size_t level_count;

static void note_level(enum page_level level)
{
    levels[level_count++] = level;
}

Test(page, pressure_is_told_when_it_changes)
{
    paddr_t p;
    start();
    cr_assert(eq(int, page_level(), PAGE_PLENTY));
    page_watch(note_level);
    cr_assert(eq(sz, level_count, 0)); /* as it was */
    cr_assert(eq(int, page_alloc_raw(WINDOW_PAGES - WINDOW_PAGES / 8, PAGE_SIZE, &p), STATUS_OK));
    cr_assert(eq(sz, level_count, 0)); /* an eighth is left, not less */
    cr_assert(eq(int, page_alloc_raw(1, PAGE_SIZE, &p), STATUS_OK));
    cr_assert(eq(int, page_alloc_raw(1, PAGE_SIZE, &p), STATUS_OK));
    cr_assert(eq(int, page_alloc_raw(WINDOW_PAGES / 16, PAGE_SIZE, &p), STATUS_OK));
    page_seal();
    cr_assert(eq(int, page_hold(page_free_bytes()), STATUS_OK));
    cr_assert(eq(u64, page_held_bytes(), page_free_bytes()));
    cr_assert(eq(int, page_hold(page_free_bytes() + 1), STATUS_OUT_OF_RANGE));
    cr_assert(eq(int, page_hold(0), STATUS_OK));
    static const enum page_level expected[] = {PAGE_LOW, PAGE_CRITICAL, PAGE_NONE, PAGE_CRITICAL};
    cr_assert(eq(sz, level_count, 4));
    cr_assert(eq(int, memcmp(levels, expected, sizeof(expected)), 0));
}
