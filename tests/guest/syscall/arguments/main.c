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

#define VALUE(n)                                                                                                       \
    {                                                                                                                  \
        KIND_VALUE, #n, 0, 0, 0                                                                                        \
    }
#define HANDLE(n, t)                                                                                                   \
    {                                                                                                                  \
        KIND_HANDLE, #n, IMAGE_OBJECT_##t, 0, 0                                                                        \
    }
#define IN(n, bytes)                                                                                                   \
    {                                                                                                                  \
        KIND_IN, #n, 0, 0, bytes                                                                                       \
    }
#define OUT(n, bytes)                                                                                                  \
    {                                                                                                                  \
        KIND_OUT, #n, 0, 0, bytes                                                                                      \
    }
#define IN_OR_NULL(n, bytes)                                                                                           \
    {                                                                                                                  \
        KIND_IN_OR_NULL, #n, 0, 0, bytes                                                                               \
    }
#define LENGTH(n)                                                                                                      \
    {                                                                                                                  \
        KIND_LENGTH, #n, 0, 0, 0                                                                                       \
    }
#define FLAGS(n, mask)                                                                                                 \
    {                                                                                                                  \
        KIND_FLAGS, #n, 0, 0, mask                                                                                     \
    }
#define RANGE(n, low, high)                                                                                            \
    {                                                                                                                  \
        KIND_RANGE, #n, 0, low, high                                                                                   \
    }
#define DEADLINE(n)                                                                                                    \
    {                                                                                                                  \
        KIND_DEADLINE, #n, 0, 0, 0                                                                                     \
    }
#define NONE                                                                                                           \
    {                                                                                                                  \
        KIND_NONE, "", 0, 0, 0                                                                                         \
    }
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

/* Handles by type: what each kind of object is called here. */
static uint64_t handle_of(uint64_t type)
{
    static const uint64_t handles[] = {HANDLE_ECHO, HANDLE_ASKED, HANDLE_ECHO, HANDLE_TIMES};
    _Static_assert(IMAGE_OBJECT_CHANNEL_HANDLER == 1 && IMAGE_OBJECT_CHANNEL_INITIATOR == 2, "their order");
    _Static_assert(IMAGE_OBJECT_HISTOGRAM == 3, "their order");
    check_at_most("type of an object", type, 3);
    return handles[type];
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
