/* SPDX-License-Identifier: MIT
 * Both consoles with the test as the other side: one that works, one that is slow, one that lies. */
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include "drivers/xen/console.h"

#include <arch/atomic.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <xen/xen.h>

#define PORT 7u

static struct {
    struct xencons_interface ring;
    unsigned char behind[4096 - sizeof(struct xencons_interface)]; /* the rest of the page, untouched */
} page;
static struct xen_console console;
static unsigned events;

static void notify(uint32_t port)
{
    cr_assert(eq(u32, port, PORT));
    events++;
}

static void begin_at(uint32_t out, uint32_t in)
{
    page.ring.out_prod = page.ring.out_cons = out;
    page.ring.in_prod = page.ring.in_cons = in;
    cr_assert(xen_console_begin(&console, &page.ring, PORT, notify));
}

static void begin(void)
{
    begin_at(0, 0);
}

TestSuite(xen_console, .init = begin, .timeout = 20);

/* The backend takes up to n bytes. */
static size_t backend_take(char *bytes, size_t n)
{
    size_t done = 0;
    uint32_t prod = load_acquire(&page.ring.out_prod), cons = page.ring.out_cons; /* pairs: xen-console-out */
    for (; done < n && cons != prod; done++)
        bytes[done] = page.ring.out[cons++ % sizeof(page.ring.out)];
    store_release(&page.ring.out_cons, cons); /* pairs: xen-console-out-space */
    return done;
}

/* The backend gives up to n bytes. */
static size_t backend_give(const char *bytes, size_t n)
{
    size_t done = 0;
    uint32_t cons = load_acquire(&page.ring.in_cons), prod = page.ring.in_prod; /* pairs: xen-console-in-space */
    for (; done < n && prod - cons != sizeof(page.ring.in); done++)
        page.ring.in[prod++ % sizeof(page.ring.in)] = bytes[done];
    store_release(&page.ring.in_prod, prod); /* pairs: xen-console-in */
    return done;
}

Test(xen_console, puts_and_gets)
{
    char got[16] = "";
    cr_assert(eq(sz, xen_console_put(&console, "hello", 5), 5));
    cr_assert(eq(u32, events, 1));
    cr_assert(eq(sz, backend_take(got, sizeof(got)), 5));
    cr_assert(eq(str, got, (char *)"hello"));
    cr_assert(eq(sz, backend_give("abc", 3), 3));
    cr_assert(eq(sz, xen_console_get(&console, got, 2), 2));
    cr_assert(eq(sz, xen_console_get(&console, got + 2, 8), 1));
    cr_assert(eq(int, memcmp(got, "abc", 3), 0));
    cr_assert(eq(u64, console.bytes_out, 5));
    cr_assert(eq(u64, console.bytes_in, 3));
}

Test(xen_console, no_event_for_nothing)
{
    char byte;
    cr_assert(eq(sz, xen_console_put(&console, "", 0), 0));
    cr_assert(eq(sz, xen_console_get(&console, &byte, 1), 0));
    cr_assert(eq(u32, events, 0));
}

Test(xen_console, takes_what_fits)
{
    static char bytes[3000], got[3000];
    memset(bytes, 'x', sizeof(bytes));
    cr_assert(eq(sz, xen_console_put(&console, bytes, sizeof(bytes)), 2048));
    cr_assert(eq(sz, xen_console_put(&console, bytes, 1), 0));
    cr_assert(eq(u32, events, 1));
    cr_assert(eq(u64, console.bytes_refused, 3000 - 2048 + 1));
    cr_assert(not(xen_console_flush(&console, 10)));
    cr_assert(eq(sz, backend_take(got, 48), 48));
    cr_assert(eq(sz, xen_console_put(&console, bytes, sizeof(bytes)), 48));
    cr_assert(eq(sz, backend_take(got, sizeof(got)), 2048));
    cr_assert(xen_console_flush(&console, 1));
    cr_assert(not(xen_console_flush(&console, 0)), "no look, no answer");
}

/* Random parts in both directions, from indices that are about to wrap. */
static void exchange(uint32_t start)
{
    static char bytes[20000], got[20000];
    size_t put = 0, taken = 0;
    begin_at(start, start);
    for (size_t n = 0; n < sizeof(bytes); n++)
        bytes[n] = (char)rand();
    while (taken < sizeof(bytes)) {
        size_t left = sizeof(bytes) - put, part = (size_t)rand() % 3000;
        put += xen_console_put(&console, bytes + put, part < left ? part : left);
        taken += backend_take(got + taken, (size_t)rand() % 1500);
    }
    cr_assert(eq(int, memcmp(bytes, got, sizeof(bytes)), 0));
    for (put = taken = 0; taken < sizeof(bytes);) {
        size_t left = sizeof(bytes) - put, part = (size_t)rand() % 1500;
        put += backend_give(bytes + put, part < left ? part : left);
        part = (size_t)rand() % 1500;
        left = sizeof(got) - taken;
        memset(got + taken, 0, left);
        taken += xen_console_get(&console, got + taken, part < left ? part : left);
    }
    cr_assert(eq(int, memcmp(bytes, got, sizeof(bytes)), 0));
    for (size_t n = 0; n < sizeof(page.behind); n++)
        cr_assert(zero(u8, page.behind[n]));
}

Test(xen_console, indices_wrap)
{
    exchange(0);
    exchange(UINT32_MAX - 5000);
    exchange(UINT32_MAX);
    exchange(INT32_MAX - 1000);
}

Test(xen_console, takes_over_a_ring_in_use)
{
    char got[8] = "";
    memcpy(page.ring.out, "early", 5);
    page.ring.out_prod = 5;
    page.ring.in_prod = 1024;
    cr_assert(xen_console_begin(&console, &page.ring, PORT, notify));
    cr_assert(eq(sz, xen_console_put(&console, "!", 1), 1));
    cr_assert(eq(sz, backend_take(got, 8), 6));
    cr_assert(eq(str, got, (char *)"early!"));
    cr_assert(eq(sz, xen_console_get(&console, got, 8), 8));
}

static void is_silent(void)
{
    static char bytes[4096];
    unsigned before = events;
    uint32_t out = page.ring.out_prod, in = page.ring.in_cons;
    cr_assert(ne(ptr, (void *)(uintptr_t)console.fault, NULL));
    page.ring.out_cons = page.ring.out_prod;
    page.ring.in_prod = page.ring.in_cons + 10;
    cr_assert(eq(sz, xen_console_put(&console, bytes, sizeof(bytes)), 0));
    cr_assert(eq(sz, xen_console_get(&console, bytes, sizeof(bytes)), 0));
    cr_assert(not(xen_console_flush(&console, UINT64_MAX)), "must not wait for a console that was given up");
    cr_assert(eq(u32, events, before));
    cr_assert(eq(u32, page.ring.out_prod, out));
    cr_assert(eq(u32, page.ring.in_cons, in));
    cr_assert(eq(u64, console.bad_indices, 1));
}

Test(xen_console, out_index_that_cannot_be)
{
    static const uint32_t bad[] = {6, 100, INT32_MAX, INT32_MAX + 1u, 5u - 2049u};
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        begin();
        cr_assert(eq(sz, xen_console_put(&console, "hello", 5), 5));
        page.ring.out_cons = bad[n];
        cr_assert(eq(sz, xen_console_put(&console, "x", 1), 0));
        is_silent();
        begin();
        cr_assert(eq(sz, xen_console_put(&console, "hello", 5), 5));
        page.ring.out_cons = bad[n];
        cr_assert(not(xen_console_flush(&console, UINT64_MAX)));
        is_silent();
    }
}

Test(xen_console, in_index_that_cannot_be)
{
    static const uint32_t bad[] = {1025, 4096, INT32_MAX, UINT32_MAX};
    static char bytes[4096];
    for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
        begin();
        page.ring.in_prod = bad[n];
        cr_assert(eq(sz, xen_console_get(&console, bytes, sizeof(bytes)), 0));
        is_silent();
    }
}

Test(xen_console, begins_silent_on_a_bad_ring)
{
    page.ring.out_cons = 1;
    cr_assert(not(xen_console_begin(&console, &page.ring, PORT, notify)));
    is_silent();
    page.ring.in_prod = page.ring.in_cons + 1025;
    cr_assert(not(xen_console_begin(&console, &page.ring, PORT, notify)));
    is_silent();
}

/* Our own indices are ours, whatever somebody writes into the page. */
Test(xen_console, our_indices_overwritten)
{
    char got[8] = "";
    cr_assert(eq(sz, xen_console_put(&console, "ab", 2), 2));
    page.ring.out_prod = 99999;
    page.ring.in_cons = 99999;
    cr_assert(eq(sz, xen_console_put(&console, "cd", 2), 2));
    cr_assert(eq(u32, page.ring.out_prod, 4));
    page.ring.in_prod = 3;
    memcpy(page.ring.in, "xyz", 3);
    cr_assert(eq(sz, xen_console_get(&console, got, 8), 3));
    cr_assert(eq(str, got, (char *)"xyz"));
    cr_assert(eq(u32, page.ring.in_cons, 3));
}

/* Any indices at all, changed at any call. */
Test(xen_console, noise)
{
    static char bytes[4096];
    srand(3);
    for (unsigned n = 0; n < 100000; n++) {
        if (console.fault)
            begin_at((uint32_t)rand(), (uint32_t)rand());
        page.ring.out_cons = page.ring.out_prod - (uint32_t)rand() % 2060;
        page.ring.in_prod = page.ring.in_cons + (uint32_t)rand() % 1030;
        xen_console_put(&console, bytes, (size_t)rand() % sizeof(bytes));
        xen_console_get(&console, bytes, (size_t)rand() % sizeof(bytes));
    }
    for (size_t n = 0; n < sizeof(page.behind); n++)
        cr_assert(zero(u8, page.behind[n]));
}

static struct xen_io_console io_console;
static char io_out[1024];
static size_t io_out_bytes;
static unsigned io_calls;
static long io_error, io_read_result;

static long console_io(unsigned command, unsigned bytes, char *buffer)
{
    io_calls++;
    if (command == CONSOLEIO_read) {
        if (io_read_result > 0 && io_read_result <= (long)bytes)
            memset(buffer, 'r', (size_t)io_read_result);
        return io_read_result;
    }
    cr_assert(eq(u32, command, CONSOLEIO_write));
    cr_assert(le(u32, bytes, 127), "Xen would print it in parts");
    if (io_error)
        return io_error;
    memcpy(io_out + io_out_bytes, buffer, bytes);
    io_out_bytes += bytes;
    return 0;
}

Test(xen_console, hypercalls)
{
    char bytes[300], got[4] = "";
    memset(bytes, 'x', sizeof(bytes));
    bytes[299] = 'y';
    xen_io_console_begin(&io_console, console_io);
    cr_assert(eq(sz, xen_io_console_put(&io_console, bytes, 115), 115));
    cr_assert(eq(u32, io_calls, 1), "a frame in one call");
    cr_assert(eq(sz, xen_io_console_put(&io_console, bytes, sizeof(bytes)), sizeof(bytes)));
    cr_assert(eq(sz, io_out_bytes, 415));
    cr_assert(eq(chr, io_out[414], 'y'));
    io_read_result = 3;
    cr_assert(eq(sz, xen_io_console_get(&io_console, got, 4), 3));
    cr_assert(eq(str, got, (char *)"rrr"));
    cr_assert(eq(u64, io_console.bytes_in, 3));
    io_calls = 0;
    cr_assert(eq(sz, xen_io_console_get(&io_console, got, 0), 0));
    cr_assert(eq(u32, io_calls, 0));
}

Test(xen_console, hypercalls_refused)
{
    char got[4];
    xen_io_console_begin(&io_console, console_io);
    io_read_result = 5;
    cr_assert(eq(sz, xen_io_console_get(&io_console, got, 4), 0));
    io_read_result = -38;
    cr_assert(eq(sz, xen_io_console_get(&io_console, got, 4), 0));
    cr_assert(eq(u64, io_console.read_errors, 2));
    cr_assert(eq(ptr, (void *)(uintptr_t)io_console.fault, NULL));
    io_error = -1;
    cr_assert(eq(sz, xen_io_console_put(&io_console, "abc", 3), 0));
    cr_assert(eq(i64, io_console.error, -1));
    io_calls = 0;
    io_read_result = 1;
    cr_assert(eq(sz, xen_io_console_put(&io_console, "abc", 3), 0));
    cr_assert(eq(sz, xen_io_console_get(&io_console, got, 4), 0));
    cr_assert(eq(u32, io_calls, 0), "silent");
    cr_assert(eq(u64, io_console.bytes_refused, 6));
}
