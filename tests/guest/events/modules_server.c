/* SPDX-License-Identifier: MIT
 * The module SERVER. A request that it holds is announced on the channel IPC, and answered when somebody asks there. */
#include "handles.h"
#include "tests/guest/check.h"
#include "user/rt/module.h"

static char text[TERN_MODULE_REQUEST_BYTES];
static char big[TERN_MODULE_ANSWER_BYTES + 1];
static bool grouped;

static void respond(enum status status, const char *answer, size_t n)
{
    check_ok("respond", tern_module_respond(HANDLE_SERVER, status, answer, n), 0);
}

static void hold(void)
{
    check_ok("announce", object_notify(HANDLE_IPC, 1), 0);
    check_ok("release", channel_respond_and_wait(HANDLE_IPC, NULL, 0, NULL, 0, TIME_MAX), 0);
    respond(STATUS_OK, "released", 8);
    check_ok("released", channel_respond(HANDLE_IPC, NULL, 0), 0);
}

/* From here on it waits in the other way. */
static void change_mode(void)
{
    grouped = !grouped;
    check_ok("mode",
             grouped ? wait_group_add(HANDLE_GROUP, HANDLE_SERVER, SIGNAL_READABLE, 5)
                     : wait_group_remove(HANDLE_GROUP, HANDLE_SERVER),
             0);
    respond(STATUS_OK, grouped ? "group" : "alone", 5);
}

static size_t next(void)
{
    struct result r =
        channel_respond_and_wait(grouped ? HANDLE_GROUP : HANDLE_SERVER, NULL, 0, text, sizeof text, TIME_MAX);
    check_status("next", r.status, STATUS_OK);
    return grouped ? result_length(r) : r.value;
}

static void serve(size_t n)
{
    size_t payload;
    if (tern_module_is(text, n, "echo", &payload)) {
        check_ok("nobody listens", object_notify(HANDLE_SERVER, 1), 0);
        respond(STATUS_OK, text + payload, n - payload);
    } else if (tern_module_is(text, n, "whole", &payload)) {
        respond(STATUS_OK, text, n);
    } else if (tern_module_is(text, n, "fail", &payload)) {
        respond(STATUS_DATA_LOSS, "why", 3);
    } else if (tern_module_is(text, n, "short", &payload)) {
        check_ok("short", channel_respond(HANDLE_SERVER, "\0\0\0", 3), 0);
    } else if (tern_module_is(text, n, "nonsense", &payload)) {
        respond((enum status)99, "x", 1);
    } else if (tern_module_is(text, n, "big", &payload)) {
        memset(big, 'b', sizeof big);
        check_refused("too big", tern_module_respond(HANDLE_SERVER, STATUS_OK, big, sizeof big), STATUS_OUT_OF_RANGE);
        respond(STATUS_OK, big, TERN_MODULE_ANSWER_BYTES);
    } else if (tern_module_is(text, n, "hold", &payload)) {
        hold();
    } else if (tern_module_is(text, n, "mode", &payload)) {
        change_mode();
    } else if (tern_module_is(text, n, "die", &payload)) {
        process_exit(5);
    } else {
        respond(STATUS_UNIMPLEMENTED, NULL, 0);
    }
}

int main(void)
{
    for (;;)
        serve(next());
}
