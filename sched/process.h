/* SPDX-License-Identifier: MIT
 * A process: an address space, a table of objects, one home CPU. Built at boot from the image, never freed.
 * Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stdint.h>
#include "sched/thread.h"
#include "sys/abi/exit_status.h"
#include "sys/abi/image.h"

struct object;
struct task;

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
    bool stopped;            /* [o] no thread of it runs */
    bool loading;            /* [o] stopped, and on its way to run again */
    bool doomed;             /* [o] terminated while loading */
    uint32_t unseen;         /* [o] ends of channels whose peer's CPU has not acknowledged that it stopped */
    struct exit_status end;  /* [o] stopped: how */
    struct thread *threads;  /* [I] the first is the main thread, which runs from the start */
    uint32_t thread_count;   /* [I] */
    uint32_t living;         /* [o] threads that run or may run */
    uint64_t entry;          /* [I] of the main thread */
    const struct image_device *devices; /* [I] what it may touch of the machine; memory is mapped */
    uint32_t device_count;              /* [I] */
    struct task *supervisor;            /* [I] the process object elsewhere that is told of its end, or NULL */
    const char *name;                   /* [I] */
};

/* Supplied by sys/process.c: a stopped process has unseen == 0 again; nothing touches its memory or its objects. */
void process_quiet(struct process *p);
