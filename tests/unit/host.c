/* SPDX-License-Identifier: MIT
 * What every host test links: the log and panic as host functions, and the window that plays physical memory. */
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "tests/unit/host.h"

#include <arch/memory.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool host_log_muted;
unsigned char *test_phys;
uint64_t test_phys_base, test_phys_bytes;

void *phys_to_virt(paddr_t p)
{
    if (p < test_phys_base || p - test_phys_base > test_phys_bytes)
        panic("physical address %#lx is outside the test's memory", p);
    return test_phys + (p - test_phys_base);
}

paddr_t virt_to_phys(const void *v)
{
    return test_phys_base + (uint64_t)((const unsigned char *)v - test_phys);
}

void *mmio_map(paddr_t p, size_t bytes)
{
    return bytes ? phys_to_virt(p) : NULL;
}

static void say(const char *level, const char *format, va_list args)
{
    fprintf(stderr, "[%s] ", level);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

#define DEFINE_LOG(level)                      \
    void log_##level(const char *format, ...)  \
    {                                          \
        va_list args;                          \
        va_start(args, format);                \
        if (!host_log_muted)                   \
            say(#level, format, args);         \
        va_end(args);                          \
    }
DEFINE_LOG(info)
DEFINE_LOG(warn)
DEFINE_LOG(error)

void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("panic", format, args);
    va_end(args);
    abort();
}
