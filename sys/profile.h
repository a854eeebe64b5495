/* SPDX-License-Identifier: MIT
 * The samples' way to the host: sys/abi/profile.h's stream on the port org.tern.prof. The boot CPU takes them from the
 * rings of all CPUs at its ticks, some at a time and only when a ring has filled up somewhat or a second has passed, so
 * that a short run is hardly disturbed; and all of them at the end. What the host does not take stays in the rings,
 * which drop what has no room, and count it. Boot CPU. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sched/process.h"
#include "sys/abi/status.h"

struct profile_wish {
    uint64_t hz;   /* prof= */
    bool by_host;  /* nmi=sample */
    uint32_t cpus; /* that run */
    const char *image;
    const struct process *processes;
    uint32_t process_count;
};

/* Makes ready for what is wished, if it is anything. OK, or the status of sampler_init. When the router and the bus are
 * there, before page_seal. */
enum status profile_init(const struct profile_wish *wish);

/* Samples are taken from here on, if they were wished. Before threads run. */
void profile_start(void);

/* The end: none are taken any more. Any CPU. */
void profile_stop(void);

/* All that was taken goes out, with the counts and the end, in bounded time. The others have stopped. */
void profile_finish(void);
