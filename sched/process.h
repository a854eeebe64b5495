/* SPDX-License-Identifier: MIT
 * A process: an address space, a table of objects, one home CPU. Built at boot from the image, never freed.
 * Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stdint.h>
#include "sched/thread.h"
#include "sys/abi/image.h"

struct object;

/* One contiguous range of user memory and where the kernel sees it. */
struct region {
    uint64_t end; /* user address just above it */
    uint64_t bytes;
    uint64_t to_kernel; /* added to a user address in it: the direct map's */
    uint32_t flags;     /* IMAGE_REGION_* */
};

struct process {
    uint64_t cr3;            /* [I] with PCID and no-flush bit where the CPU has them */
    struct object **objects; /* [I] handle -> object; padded to a power of two with an object of no type */
    uint32_t object_mask;    /* [I] entries of it, less one */
    uint32_t object_count;   /* [I] real ones */
    uint32_t region_count;   /* [I] */
    struct region *regions;  /* [I] */
    struct region hot[2];    /* [o] copies of where the last input and the last output buffer were: looked at first */
    uint32_t index;          /* [I] in the image */
    uint32_t cpu;            /* [I] home */
    bool stopped;            /* [o] */
    int32_t exit_code;       /* [o] */
    struct thread *thread;   /* [I] */
    const char *name;        /* [I] */
};
