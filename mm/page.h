/* SPDX-License-Identifier: MIT
 * Physical page frames. The boot memory map is cleaned (sorted, clipped, holes cut), then frames are given out,
 * contiguous where asked, and never taken back except through the per-CPU caches. page_seal ends allocation of runs:
 * after boot nothing is allocated. Boot CPU only until page_seal, except page_cache_*, which are this CPU only. Every
 * frame that is given out is zeroed, but for page_alloc_raw. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

enum memory_type { MEMORY_RAM = 1, MEMORY_RESERVED = 2, MEMORY_ACPI = 3, MEMORY_NVS = 4, MEMORY_UNUSABLE = 5 };

struct memory_range {
    paddr_t base;
    uint64_t bytes;
    uint32_t type; /* enum memory_type; anything unknown counts as reserved */
};

#define MEMORY_RANGES_MAX 128

/* The boot memory map as one array in the order it was reported. */
struct memory_map {
    size_t count;
    size_t refused; /* entries dropped: zero bytes, wrapping, or past MEMORY_RANGES_MAX */
    struct memory_range ranges[MEMORY_RANGES_MAX];
};

/* RAM from this address on is refused: no supported CPU needs it and the direct map stays inside its slot. */
#define PAGE_PHYSICAL_LIMIT (UINT64_C(1) << 46)

/* Takes the map in; reserved wins over RAM where entries overlap; nothing below 1 MiB is given out. RAM that wraps or
 * passes PAGE_PHYSICAL_LIMIT is dropped whole, a reserved entry that does is cut off there; both are counted as
 * refused. FAILED_PRECONDITION if no usable RAM remains. Forgets all that was given out before. */
enum status page_init(const struct memory_map *map);

/* Takes [base, base + bytes) out of what may be given out (kernel, modules, boot tables). Before the first allocation.
 * */
void page_reserve(paddr_t base, uint64_t bytes);

/* `count` contiguous frames, aligned to `align_bytes` (a power of two >= PAGE_SIZE), zeroed. RESOURCE_EXHAUSTED if
 * there is no such run, FAILED_PRECONDITION after page_seal, INVALID_ARGUMENT for a bad count or alignment. */
enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out);

/* The same, not zeroed: for what is not needed in every boot and initialises itself. */
enum status page_alloc_raw(size_t count, size_t align_bytes, paddr_t *out);

/* No more runs are given out from here on. */
void page_seal(void);

/* RAM that was usable after page_init, before any page_reserve; and what no one has taken yet (caches count as
 * takers). */
uint64_t page_total_bytes(void);
uint64_t page_free_bytes(void);

/* How much of the RAM is left: PAGE_LOW below an eighth of it, PAGE_CRITICAL below a sixteenth, PAGE_NONE with nothing.
 */
enum page_level { PAGE_PLENTY, PAGE_LOW, PAGE_CRITICAL, PAGE_NONE };
enum page_level page_level(void);

/* `changed` is called from here on whenever page_level is another than before. Boot CPU, once. */
void page_watch(void (*changed)(enum page_level level));

/* Holds `bytes` of what is left back, as if they were taken, instead of what was held before: to see what pressure
 * does. OUT_OF_RANGE: more than there is. Boot CPU. */
enum status page_hold(uint64_t bytes);
uint64_t page_held_bytes(void);

/* Map entries refused or cut off, those that the map's reader refused included; and bytes given up because the table
 * of free ranges was full (each such loss is logged as well). For the boot log. */
size_t page_refused(void);
uint64_t page_lost_bytes(void);

/* The free ranges are sorted, apart from each other, aligned, and inside the legal addresses. */
bool page_valid(void);

#define PAGE_CACHE_FRAMES 32

/* Free frames of one CPU, last in, first out. All zero is an empty cache. Only its owner's CPU touches it. */
struct page_cache {
    uint32_t count;
    paddr_t frames[PAGE_CACHE_FRAMES];
};

/* Fills the cache up from the boot allocator; on the boot CPU, for any CPU that is not started yet.
 * FAILED_PRECONDITION after page_seal; RESOURCE_EXHAUSTED if RAM ran out, with the frames so far kept. */
enum status page_cache_fill(struct page_cache *cache);

/* One zeroed frame; the caller owns it until page_cache_put. Constant time. RESOURCE_EXHAUSTED if the cache is empty.
 * */
enum status page_cache_get(struct page_cache *cache, paddr_t *out);

/* Zeroes the frame and takes it back. Constant time. INVALID_ARGUMENT if it is no frame of usable RAM,
 * RESOURCE_EXHAUSTED if the cache is full: the caller still owns it then. */
enum status page_cache_put(struct page_cache *cache, paddr_t frame);
