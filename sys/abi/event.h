/* SPDX-License-Identifier: MIT
 * Events of the kernel's bus: what happened, in 32 bytes. A topic is a set of kinds; the first five are the usual ones,
 * the others finer. A custom event has the number of a name that was made known to the bus, and up to 24 bytes. */
#ifndef TERN_ABI_EVENT_H
#define TERN_ABI_EVENT_H
#include <stdint.h>

enum event_kind {
    EVENT_TICK, /* word: nanoseconds since boot, number of the tick. Published on each CPU that wants it, there */
    EVENT_TIMER_EXPIRED,   /* a thread's deadline passed; word: process, nanoseconds since boot */
    EVENT_SHUTDOWN,        /* value: 0 success, 1 failure */
    EVENT_MEMORY_PRESSURE, /* value: enum event_memory_level; word: free bytes, bytes in all */
    EVENT_CPU_HOTPLUG,     /* value: 1 on line, 0 off; word: CPU */
    EVENT_PROCESS_CREATED, /* word: process, the process of its supervisor or EVENT_NOBODY */
    EVENT_PROCESS_EXITED,  /* value: enum exit_kind; word: process, exit code or exception, RIP of an exception */
    EVENT_BAD_ORIGIN,      /* word: process, number of the call, the address that it came from */
    EVENT_INTERRUPT,       /* value: number of the interrupt */
    EVENT_CUSTOM,          /* value: number of the name, EVENT_CUSTOM_BYTES; word: those bytes */
    EVENT_KINDS,
};

enum event_memory_level { EVENT_MEMORY_NORMAL, EVENT_MEMORY_LOW, EVENT_MEMORY_CRITICAL, EVENT_MEMORY_OOM };
#define EVENT_NOBODY UINT64_MAX

#define EVENT_NAMES_MAX 64
#define EVENT_NAME_BYTES 32 /* with its NUL */
#define EVENT_DATA_BYTES 24
#define EVENT_CUSTOM_NAME(value) ((value)&0xffffu)
#define EVENT_CUSTOM_BYTES(value) ((value) >> 16)
#define EVENT_CUSTOM_VALUE(name, bytes) ((uint32_t)(name) | (uint32_t)(bytes) << 16)

struct event {
    uint16_t kind; /* enum event_kind */
    uint16_t cpu;  /* where it was published */
    uint32_t value;
    uint64_t word[3];
};
_Static_assert(sizeof(struct event) == 32, "event ABI");
_Static_assert(sizeof(((struct event *)0)->word) == EVENT_DATA_BYTES, "event ABI");

#define EVENT_BIT(kind) (1u << (kind))
#define TOPIC_TIMER (EVENT_BIT(EVENT_TICK) | EVENT_BIT(EVENT_TIMER_EXPIRED))
#define TOPIC_PROCESS (EVENT_BIT(EVENT_PROCESS_CREATED) | EVENT_BIT(EVENT_PROCESS_EXITED) | EVENT_BIT(EVENT_BAD_ORIGIN))
#define TOPIC_MEMORY EVENT_BIT(EVENT_MEMORY_PRESSURE)
#define TOPIC_INTERRUPT EVENT_BIT(EVENT_INTERRUPT)
#define TOPIC_SYSTEM (EVENT_BIT(EVENT_SHUTDOWN) | EVENT_BIT(EVENT_CPU_HOTPLUG))
#define TOPIC_TICK EVENT_BIT(EVENT_TICK)
#define TOPIC_SHUTDOWN EVENT_BIT(EVENT_SHUTDOWN)
#define TOPIC_MEMORY_PRESSURE TOPIC_MEMORY
#define TOPIC_CPU_HOTPLUG EVENT_BIT(EVENT_CPU_HOTPLUG)
#define TOPIC_CUSTOM EVENT_BIT(EVENT_CUSTOM)   /* those of the names that the subscription gives */
#define TOPIC_ALL (EVENT_BIT(EVENT_KINDS) - 1) /* custom events of whatever name too */

#endif
