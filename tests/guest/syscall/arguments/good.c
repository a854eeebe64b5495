/* SPDX-License-Identifier: MIT
 * What is odd and legal. Each call that has a buffer is made with each of these, and does what it is for. */
#include "handles.h"
#include "tests/guest/syscall/arguments/arguments.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Two words, of which the second is printable and the first may be anybody's. */
static bool names_a_module(const char *text, uint64_t n)
{
    uint64_t i = 0, module, type;
    while (i < n && text[i] == ' ')
        i++;
    for (module = i; i < n && text[i] != ' ';)
        i++;
    bool has_module = i > module;
    while (i < n && text[i] == ' ')
        i++;
    for (type = i; i < n && text[i] != ' '; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return has_module && i > type;
}

/* The value of a call that is made with these registers; its status by the way. */
static uint64_t expected_value(const struct call *c, const uint64_t a[ARGUMENTS], enum status *status)
{
    *status = STATUS_OK;
    switch ((enum call_number)(c - calls)) {
    case CALL_channel_transact: /* an echo, or nothing if there is no room for it */
        return a[2] <= a[4] ? a[2] : 0;
    case CALL_channel_read:
        return smaller(a[3], REQUEST_BYTES);
    case CALL_channel_respond:
    case CALL_channel_async_transact:
        return 0;
    case CALL_task_join: /* this process runs */
        *status = STATUS_UNAVAILABLE;
        return 0;
    case CALL_channel_respond_and_wait:
        return REQUEST_BYTES; /* of the next request */
    case CALL_debug_log:
        return a[1];
    case CALL_syscall_stats:
        return smaller(a[2], sizeof(struct syscall_stats));
    case CALL_event_read: /* less than an event */
        *status = STATUS_OUT_OF_RANGE;
        return 0;
    case CALL_debug_measure: /* no name; or no room for a word, or none that is aligned */
        *status = a[3] < 8 || a[2] % 8 ? STATUS_INVALID_ARGUMENT : STATUS_NOT_FOUND;
        return 0;
    case CALL_router_request: /* whatever bytes they are, they ask nobody */
        *status = names_a_module((const char *)a[1], a[2]) ? STATUS_NOT_FOUND : STATUS_INVALID_ARGUMENT;
        return 0;
    case CALL_syscall_register:
    case CALL_syscall_lookup:
    case CALL_syscall_hook:
        *status = STATUS_NOT_FOUND; /* no name */
        return 0;
    default:
        tern_failure(STATUS_INTERNAL, "%s: say here what it gives", c->name);
    }
}

/* A call that answers a request needs one; the one that waits leaves the next behind, read. */
static void make(const struct call *c, const uint64_t a[ARGUMENTS], uint32_t i, const char *how)
{
    static bool answered;
    enum status status;
    uint64_t value = expected_value(c, a, &status);
    if (answered)
        await_request();
    answered = c - calls == CALL_channel_respond;
    struct result r = call_make(c, a);
    if (c - calls == CALL_channel_async_transact && r.status == STATUS_OK) {
        check_status("wait for the end", object_wait(a[0], SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
        check_ok("collected", channel_async_complete(a[0]), a[2] <= a[4] ? a[2] : 0);
    }
    if (r.status != status || (status == STATUS_OK && r.value != value))
        tern_failure(STATUS_INTERNAL, "%s, %s is %s: %s, %lu, expected %s, %lu", c->name, c->arguments[i].name, how,
                     tern_status_name(r.status), r.value, tern_status_name(status), value);
}

/* Nothing at an address that may be anything. */
static void make_empty(const struct call *c, uint32_t i)
{
    const uint64_t addresses[] = {0,
                                  1,
                                  0x10000,
                                  UINT64_MAX,
                                  UINT64_C(1) << 63,
                                  0xffff800000000000,
                                  0xffffffff80200000,
                                  USER_VVAR_BASE,
                                  memory.data_end,
                                  memory.stack - 1,
                                  (uint64_t)constant};
    uint64_t a[ARGUMENTS];
    for (size_t k = 0; k < sizeof addresses / sizeof addresses[0]; k++) {
        good_arguments(c, a);
        a[i] = addresses[k];
        a[i + 1] = 0;
        if (a[i] || c->arguments[i].kind != KIND_IN_OR_NULL)
            make(c, a, i, "nothing");
    }
}

/* Gets text only, since people read it. */
static bool is_log(const struct call *c)
{
    return c - calls == CALL_debug_log;
}

static void make_in(const struct call *c, uint32_t i)
{
    const uint64_t addresses[] = {
        (uint64_t)constant,  memory.constants_end - 8, memory.stack_end - 8,      memory.stack,
        memory.data_end - 8, memory.constants_end,     (uint64_t)HISTOGRAM_TIMES, memory.histogram_end - 8};
    uint64_t a[ARGUMENTS];
    for (size_t k = 0; k < sizeof addresses / sizeof addresses[0]; k++) {
        good_arguments(c, a);
        a[i] = addresses[k];
        if (a[i] == (uint64_t)constant || !is_log(c))
            make(c, a, i, "at an end of memory");
    }
    for (uint64_t skew = 1; skew < 8; skew++) {
        good_arguments(c, a);
        a[i] += skew;
        a[i + 1] = skew;
        make(c, a, i, "unaligned");
    }
    good_arguments(c, a);
    a[i] = (uint64_t)make_in;
    if (!is_log(c))
        make(c, a, i, "code");
}

/* Bytes around what may be written stay. */
static void make_out(const struct call *c, uint32_t i)
{
    const uint64_t addresses[] = {(uint64_t)area + 64, memory.data_end - 8, memory.stack + 64,
                                  memory.histogram_end - 8};
    uint64_t a[ARGUMENTS];
    for (uint64_t k = 0; k < 4 + 7; k++) {
        uint64_t skew = k < 4 ? 0 : k - 3, bytes = skew ? skew : 8;
        unsigned char *buffer = (unsigned char *)(k < 4 ? addresses[k] : addresses[0] + skew);
        memset(buffer - 32, UNTOUCHED, 32 + bytes);
        if (k >= 4)
            memset(buffer + bytes, UNTOUCHED, 32);
        good_arguments(c, a);
        a[i] = (uint64_t)buffer;
        a[i + 1] = bytes;
        make(c, a, i, "unaligned or at an end of memory");
        for (size_t b = 0; b < 32; b++)
            check_u64("byte before a buffer", buffer[-1 - (int)b], UNTOUCHED);
        for (size_t b = bytes; k >= 4 && b < bytes + 32; b++)
            check_u64("byte behind a buffer", buffer[b], UNTOUCHED);
    }
}

/* The export goes on for several calls, and has no use for nothing. */
static void make_export(const struct call *c)
{
    static const char text[] = " times unit=none";
    uint64_t a[ARGUMENTS] = {HANDLE_TIMES, 0, 0};
    check_refused("export without a name", call_make(c, a), STATUS_OUT_OF_RANGE);
    a[1] = UINT64_C(1) << 63;
    check_refused("export with no name anywhere", call_make(c, a), STATUS_OUT_OF_RANGE);
    a[1] = (uint64_t)text + 1;
    a[2] = sizeof text - 2;
    struct result r = call_make(c, a);
    while (r.status == STATUS_UNAVAILABLE)
        r = call_make(c, a);
    check_status("export by an unaligned name", r.status, STATUS_OK);
}

static void make_buffer(const struct call *c, uint32_t i)
{
    switch (c->arguments[i].kind) {
    case KIND_OUT:
        make_out(c, i);
        make_empty(c, i);
        break;
    case KIND_IN:
    case KIND_IN_OR_NULL:
        make_in(c, i);
        make_empty(c, i);
        break;
    default:
        break;
    }
}

void try_good_buffers(void)
{
    for (const struct call *c = calls; c < calls + call_count; c++) {
        if (c - calls == CALL_histogram_export) {
            make_export(c);
            continue;
        }
        for (uint32_t i = 0; i < c->count; i++)
            make_buffer(c, i);
    }
}
