/* SPDX-License-Identifier: MIT
 * Handler of the transact test that serves by object_wait, channel_read, channel_respond. It echoes, and on command
 * tries what a handler may get wrong: offsets past the end, answers too long, twice or too late. */
#include "handles.h"
#include "tests/guest/ipc/transact.h"

static unsigned char buffer[MESSAGE_MAX + 64] __attribute__((aligned(8)));
static unsigned char part[64];

/* The command is 24 bytes, and reading it takes nothing away. */
static void try_offsets(const struct command *command)
{
    const unsigned char *bytes = (const unsigned char *)command;
    size_t n = sizeof *command;
    check_ok("read at 0", channel_read(HANDLE_PLAIN, 0, part, sizeof part), n);
    check_u64("bytes read at 0", (uint64_t)memcmp(part, bytes, n), 0);
    check_ok("read at the middle", channel_read(HANDLE_PLAIN, 11, part, sizeof part), n - 11);
    check_u64("bytes read at the middle", (uint64_t)memcmp(part, bytes + 11, n - 11), 0);
    check_ok("short read", channel_read(HANDLE_PLAIN, 3, part, 5), 5);
    check_u64("bytes of the short read", (uint64_t)memcmp(part, bytes + 3, 5), 0);
    check_ok("read of nothing", channel_read(HANDLE_PLAIN, 0, part, 0), 0);
    check_ok("read at the end", channel_read(HANDLE_PLAIN, n, part, sizeof part), 0);
    check_refused("read past the end", channel_read(HANDLE_PLAIN, n + 1, part, sizeof part), STATUS_OUT_OF_RANGE);
    check_refused("read far away", channel_read(HANDLE_PLAIN, SIZE_MAX, part, sizeof part), STATUS_OUT_OF_RANGE);
}

/* Exactly one answer is taken, and one that is refused is no answer. */
static void try_too_long(const struct command *command)
{
    size_t most = (size_t)command->argument;
    check_refused("long answer", channel_respond(HANDLE_PLAIN, buffer, most + 1), STATUS_OUT_OF_RANGE);
    check_ok("still pending", channel_read(HANDLE_PLAIN, 0, part, sizeof part), sizeof *command);
    check_status("second try", channel_respond(HANDLE_PLAIN, buffer, most).status, STATUS_OK);
    check_refused("second answer", channel_respond(HANDLE_PLAIN, buffer, 1), STATUS_UNAVAILABLE);
    if (cpu_id() == 0) /* an initiator on another CPU may have sent its next request by now */
        check_refused("read after the answer", channel_read(HANDLE_PLAIN, 0, part, 1), STATUS_UNAVAILABLE);
}

static void try_late(const struct command *command)
{
    check_sleep_until(HANDLE_PLAIN, command->argument);
    /* Another CPU gives up when its own timer says so, and we learn of it by its message: soon, not at once. */
    struct result r;
    uint64_t limit = command->argument + 250 * MS; /* the initiator's next request comes later than that */
    do
        r = object_wait(HANDLE_PLAIN, SIGNAL_READABLE, 0);
    while (r.status == STATUS_OK && clock_now() < limit);
    if (clock_now() < limit)
        check_refused("poll after the deadline", r, STATUS_DEADLINE_EXCEEDED);
    check_refused("late read", channel_read(HANDLE_PLAIN, 0, part, sizeof part), STATUS_UNAVAILABLE);
    check_refused("late answer", channel_respond(HANDLE_PLAIN, buffer, sizeof *command), STATUS_UNAVAILABLE);
}

static void serve_command(const struct command *command)
{
    switch (command->operation) {
    case OPERATION_OFFSETS:
        try_offsets(command);
        break;
    case OPERATION_TOO_LONG:
        try_too_long(command);
        return;
    case OPERATION_LATE:
        try_late(command);
        return;
    default:
        tern_failure(STATUS_INTERNAL, "plain: command %lu", command->operation);
    }
    check_status("answer", channel_respond(HANDLE_PLAIN, command, sizeof *command).status, STATUS_OK);
}

int main(void)
{
    for (;;) {
        struct result r = object_wait(HANDLE_PLAIN, SIGNAL_READABLE, TIME_MAX);
        check_status("wait", r.status, STATUS_OK);
        check_u64("pending signals", r.signals & SIGNAL_READABLE, SIGNAL_READABLE);
        r = channel_read(HANDLE_PLAIN, 0, buffer, sizeof buffer);
        if (r.status == STATUS_UNAVAILABLE)
            continue; /* the initiator gave up in between */
        check_status("read", r.status, STATUS_OK);
        if (is_command(buffer, r.value)) {
            struct command command;
            memcpy(&command, buffer, sizeof command);
            serve_command(&command);
            continue;
        }
        check_status("echo", channel_respond(HANDLE_PLAIN, buffer, r.value).status, STATUS_OK);
    }
}
