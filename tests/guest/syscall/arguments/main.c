/* SPDX-License-Identifier: MIT
 * The story: a process passes everything that a program could pass by mistake or in bad faith, for every argument of
 * every system call, through the real instruction: buffers at null, in the kernel, across the ends of regions, past
 * 2^64, without the right to write; handles, flags and values out of bounds. Each gives its own status, and the first
 * that is wrong decides. No byte that the process can see has changed then, and the request that was waiting for an
 * answer all the time still waits. Then what is odd and legal: unaligned buffers, those that end with their region,
 * constants and code that are only read, nothing at an address that is none.
 *
 * An asker (arguments_asker.c) sends requests, an echo (arguments_echo.c) answers; a third (arguments_bare.c) has no
 * object at all. */
#include "handles.h"
#include "sys/abi/histogram.h"
#include "tests/guest/syscall/arguments/arguments.h"

#define HISTOGRAM_PAGES ((HISTOGRAM_BYTES + USER_PAGE_SIZE - 1) / USER_PAGE_SIZE)

#define ARGUMENT(...)                                                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define VALUE(n) ARGUMENT(.kind = KIND_VALUE, .name = #n)
#define HANDLE(n, t) ARGUMENT(.kind = KIND_HANDLE, .name = #n, .type = IMAGE_OBJECT_##t)
#define EITHER(n, t, o) ARGUMENT(.kind = KIND_HANDLE, .name = #n, .type = IMAGE_OBJECT_##t, .other = IMAGE_OBJECT_##o)
#define END(n) EITHER(n, CHANNEL_HANDLER, CHANNEL_INITIATOR)
#define IN(n, bytes) ARGUMENT(.kind = KIND_IN, .name = #n, .most = (bytes))
#define OUT(n, bytes) ARGUMENT(.kind = KIND_OUT, .name = #n, .most = (bytes))
#define IN_OR_NULL(n, bytes) ARGUMENT(.kind = KIND_IN_OR_NULL, .name = #n, .most = (bytes))
#define IN_PIECES(n) ARGUMENT(.kind = KIND_IN, .name = #n, .most = NO_LIMIT, .pieces = true)
#define OUT_PIECES(n) ARGUMENT(.kind = KIND_OUT, .name = #n, .most = NO_LIMIT, .pieces = true)
#define LENGTH(n) ARGUMENT(.kind = KIND_LENGTH, .name = #n)
#define FLAGS(n, mask) ARGUMENT(.kind = KIND_FLAGS, .name = #n, .most = (mask))
#define RANGE(n, low, high) ARGUMENT(.kind = KIND_RANGE, .name = #n, .least = (low), .most = (high))
#define DEADLINE(n) ARGUMENT(.kind = KIND_DEADLINE, .name = #n)
#define NONE ARGUMENT(.kind = KIND_NONE, .name = "")
#define IMAGE_OBJECT_ANY 0

const struct call calls[] = {
#define DEFINE_SYSCALL(number, name, count, a0, a1, a2, a3, a4, a5, sentence, value)                                   \
    {#name, (raw_call)(void (*)(void))name, count, {a0, a1, a2, a3, a4, a5}},
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
};
const uint32_t call_count = sizeof calls / sizeof calls[0];

unsigned char area[AREA_BYTES];
const unsigned char constant[USER_PAGE_SIZE] = "no name!";
struct memory memory;

extern unsigned char tern_end[]; /* link.lds */

const uint64_t types[HANDLES] = {
    [HANDLE_ECHO] = IMAGE_OBJECT_CHANNEL_INITIATOR, [HANDLE_ASKED] = IMAGE_OBJECT_CHANNEL_HANDLER,
    [HANDLE_TIMES] = IMAGE_OBJECT_HISTOGRAM,        [HANDLE_GROUP] = IMAGE_OBJECT_WAIT_GROUP,
    [HANDLE_LINE] = IMAGE_OBJECT_INTERRUPT,         [HANDLE_NEWS] = IMAGE_OBJECT_EVENT_SUBSCRIPTION,
    [HANDLE_ROUTER] = IMAGE_OBJECT_ROUTER,          [HANDLE_SECOND] = IMAGE_OBJECT_THREAD,
    [HANDLE_PROCESS] = IMAGE_OBJECT_PROCESS};

/* The first handle of a type. */
static uint64_t handle_of(uint64_t type)
{
    for (uint64_t i = 0; i < HANDLES; i++)
        if (types[i] == type || !type)
            return i;
    tern_failure(STATUS_INTERNAL, "no object of type %lu", type);
}

void good_arguments(const struct call *c, uint64_t a[ARGUMENTS])
{
    for (uint32_t i = 0; i < ARGUMENTS; i++) {
        const struct argument *d = &c->arguments[i];
        const uint64_t good[] = {
            [KIND_NONE] = 0,
            [KIND_VALUE] = 0,
            [KIND_HANDLE] = d->kind == KIND_HANDLE ? handle_of(d->type) : 0,
            [KIND_IN] = (uint64_t)constant,
            [KIND_IN_OR_NULL] = (uint64_t)constant,
            [KIND_OUT] = (uint64_t)area,
            [KIND_LENGTH] = 8,
            [KIND_FLAGS] = d->most & -d->most,
            [KIND_RANGE] = d->least,
            [KIND_DEADLINE] = TIME_MAX,
        };
        a[i] = good[d->kind];
    }
}

void await_request(void)
{
    unsigned char request[REQUEST_BYTES];
    struct result r = object_wait(HANDLE_ASKED, SIGNAL_READABLE, TIME_MAX);
    check_status("wait for a request", r.status, STATUS_OK);
    check_ok("request", channel_read(HANDLE_ASKED, 0, request, sizeof request), REQUEST_BYTES);
    for (size_t i = 0; i < sizeof request; i++)
        check_u64("byte of a request", request[i], i + 1);
}

/* Two bytes in one region can be a name, which nobody has; across a region's end they cannot. */
static bool is_in_one_region(uint64_t address)
{
    struct result r = syscall_lookup((const char *)address, 2);
    if (r.status != STATUS_PERMISSION_DENIED)
        check_status("look at two bytes", r.status, STATUS_NOT_FOUND);
    return r.status == STATUS_NOT_FOUND;
}

void memory_look(void)
{
    memory.base = USER_PROCESS_BASE + (uint64_t)tern_vvar()->process * USER_PROCESS_STRIDE;
    memory.data_end = ((uint64_t)tern_end + USER_PAGE_SIZE - 1) & ~(uint64_t)(USER_PAGE_SIZE - 1);
    memory.stack = memory.base + USER_STACK_OFFSET;
    memory.stack_end = memory.stack + STACK_BYTES;
    memory.histogram_end = (uint64_t)HISTOGRAM_TIMES + HISTOGRAM_PAGES * USER_PAGE_SIZE;
    uint64_t ends[2], found = 0;
    for (uint64_t page = memory.base + USER_PAGE_SIZE; page < memory.data_end; page += USER_PAGE_SIZE) {
        if (is_in_one_region(page - 1))
            continue;
        check_at_most("ends of regions inside the program", found, 1);
        ends[found++] = page;
    }
    check_u64("ends of regions inside the program", found, 2);
    memory.text_end = ends[0];
    memory.constants_end = ends[1];
}

int main(void)
{
    memory_look();
    await_request();
    try_bad_buffers();
    try_bad_values();
    try_good_buffers();
    (void)debug_putc('\n'); /* behind what was written to the log */
    tern_success();
}
