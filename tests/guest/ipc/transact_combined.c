/* SPDX-License-Identifier: MIT
 * Handler of the transact test that serves by channel_respond_and_wait. It echoes, and on command tries a response that
 * is too long, one that is too late, and a wait that nobody ends. */
#include "handles.h"
#include "tests/guest/ipc/transact.h"

static unsigned char buffer[MESSAGE_MAX + 64] __attribute__((aligned(8)));

static struct result respond_and_wait(const void *response, size_t n, uint64_t deadline_ns)
{
    return channel_respond_and_wait(HANDLE_COMBINED, response, n, buffer, sizeof buffer, deadline_ns);
}

static struct result next(void)
{
    return respond_and_wait(NULL, 0, TIME_MAX);
}

static struct result serve_command(const struct command *command)
{
    switch (command->operation) {
    case OPERATION_TOO_LONG:
        check_refused("long answer", respond_and_wait(buffer, command->argument + 1, TIME_MAX), STATUS_OUT_OF_RANGE);
        return respond_and_wait(buffer, command->argument, TIME_MAX);
    case OPERATION_LATE:
        check_sleep_until(HANDLE_COMBINED, command->argument);
        check_refused("late answer", respond_and_wait(buffer, 1, TIME_MAX), STATUS_UNAVAILABLE);
        return next();
    case OPERATION_IDLE:
        check_refused("idle wait", respond_and_wait(command, sizeof *command, command->argument),
                      STATUS_DEADLINE_EXCEEDED);
        check_at_least("time after an idle wait", clock_now(), command->argument);
        check_refused("poll", respond_and_wait(NULL, 0, 0), STATUS_DEADLINE_EXCEEDED);
        return next();
    default:
        tern_failure(STATUS_INTERNAL, "combined: command %lu", command->operation);
    }
}

int main(void)
{
    struct result r = next();
    for (;;) {
        check_status("respond and wait", r.status, STATUS_OK);
        check_at_most("length of a request", r.value, MESSAGE_MAX);
        if (is_command(buffer, r.value)) {
            struct command command;
            memcpy(&command, buffer, sizeof command);
            r = serve_command(&command);
            continue;
        }
        r = respond_and_wait(buffer, r.value, TIME_MAX);
    }
}
