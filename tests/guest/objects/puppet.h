/* SPDX-License-Identifier: MIT
 * What both kinds of puppets can do. */
#pragma once
#include "tests/guest/fault/fault.h"
#include "tests/guest/objects/order.h"

#define FAULT(NAME, name, sentence) void fault_##name(void);
#include "tests/guest/fault/faults.def"
#undef FAULT

typedef struct result any_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

static void *const calls[] = {
#define DEFINE_SYSCALL(number, name, ...) [number] = (void *)(uintptr_t)name,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
};

static void (*const faults[])(void) = {
#define FAULT(NAME, name, sentence) fault_##name,
#include "tests/guest/fault/faults.def"
#undef FAULT
};

static unsigned char memory[PUPPET_MEMORY_BYTES] __attribute__((aligned(4096)));

static inline int thread_returns(uint64_t code)
{
    return (int)code;
}

static inline int thread_spins(uint64_t spins)
{
    while (spins < UINT64_MAX)
        spins |= clock_now() & 1;
    return 0;
}

static inline int thread_writes(uint64_t address)
{
    *(uint64_t *)address = 77;
    return 42;
}

static inline int thread_waits(uint64_t handle)
{
    return object_wait((uint32_t)handle, SIGNAL_USER, TIME_MAX).status == STATUS_OK ? 7 : 8;
}

static inline int thread_faults(uint64_t address)
{
    return *(volatile int *)address;
}

void tern_thread_entry(void); /* user/rt/crt0.S */

static void *const functions[] = {
    [FUNCTION_ENTRY] = (void *)(uintptr_t)tern_thread_entry, [FUNCTION_RETURN] = (void *)(uintptr_t)thread_returns,
    [FUNCTION_SPIN] = (void *)(uintptr_t)thread_spins,       [FUNCTION_WRITE] = (void *)(uintptr_t)thread_writes,
    [FUNCTION_WAIT] = (void *)(uintptr_t)thread_waits,       [FUNCTION_FAULT] = (void *)(uintptr_t)thread_faults,
};

/* The address that an argument stands for, or what it is. */
static inline uint64_t place(uint64_t a)
{
    if ((a & ~UINT64_C(0x1ffffffff)) != PLACE_TAG)
        return a;
    uint32_t n = (uint32_t)a;
    return a & UINT64_C(0x100000000) ? (uint64_t)functions[n] : (uint64_t)memory + n;
}

static inline struct result value(uint64_t v)
{
    return (struct result){.status = STATUS_OK, .value = v};
}

static inline struct result fill(unsigned char *to, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++)
        to[i] = fill_byte(i, seed);
    return value(n);
}

static inline struct result compare(const unsigned char *with, size_t n, uint64_t seed)
{
    size_t i = 0;
    while (i < n && with[i] == fill_byte(i, seed))
        i++;
    return value(i);
}

static inline struct result poll(uint64_t last, uint32_t handle)
{
    uint64_t word = ~last;
    while (word != last) {
        if (channel_read(handle, 0, &word, sizeof word).status == STATUS_OK)
            check_status("polled answer", channel_respond(handle, &word, sizeof word).status, STATUS_OK);
        thread_yield();
    }
    return value(0);
}

static inline struct result race(uint64_t count, uint32_t handle, uint64_t *kept)
{
    struct race_request request = {0};
    for (uint64_t i = 0; i < count; i++)
        kept[i] = STATUS_UNAVAILABLE; /* one that never arrives is not answered either */
    for (;;) {
        struct result r = channel_respond_and_wait(handle, NULL, 0, &request, sizeof request, TIME_MAX);
        check_ok("race", r, sizeof request);
        while (clock_now() < request.due_ns)
            thread_yield();
        enum status status = channel_respond(handle, &request.index, sizeof request.index).status;
        if (request.index >= count)
            return value(0);
        kept[request.index] = status;
    }
}

static inline struct result echo(uint64_t count, uint32_t handle, uint64_t increment)
{
    uint64_t word = 0;
    struct result r = channel_respond_and_wait(handle, NULL, 0, &word, sizeof word, TIME_MAX);
    for (uint64_t i = 0; r.status == STATUS_OK && i < count; i++) {
        word += increment;
        if (i + 1 < count)
            r = channel_respond_and_wait(handle, &word, sizeof word, &word, sizeof word, TIME_MAX);
        else
            r = channel_respond(handle, &word, sizeof word);
    }
    return r;
}

static inline struct result perform(const struct order *o)
{
    uint64_t a[6];
    for (size_t i = 0; i < 6; i++)
        a[i] = place(o->a[i]);
    switch (o->deed) {
    case DEED_CALL:
        return ((any_call *)calls[o->number])(a[0], a[1], a[2], a[3], a[4], a[5]);
    case DEED_FILL:
        return fill((unsigned char *)a[0], a[1], a[2]);
    case DEED_COMPARE:
        return compare((const unsigned char *)a[0], a[1], a[2]);
    case DEED_POKE:
        *(uint64_t *)a[0] = a[1];
        return value(0);
    case DEED_PEEK:
        return value(*(const volatile uint64_t *)a[0]);
    case DEED_FAULT:
        faults[a[0]]();
        break;
    case DEED_SPIN:
        thread_spins(0);
        break;
    case DEED_POLL:
        return poll(a[0], (uint32_t)a[1]);
    case DEED_RACE:
        return race(a[0], (uint32_t)a[1], (uint64_t *)a[2]);
    case DEED_ECHO:
        return echo(a[0], (uint32_t)a[1], a[2]);
    default:
        break;
    }
    return (struct result){.status = STATUS_UNIMPLEMENTED};
}

static inline struct report report_of(struct result r)
{
    return (struct report){r.status, r.signals, r.value};
}
