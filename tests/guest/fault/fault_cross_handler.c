/* SPDX-License-Identifier: MIT
 * The other half of the fault_cross test: initiators on CPU 1 ask, give up at their deadline and die, after a while or
 * at once. Whether their request was read by then or not, READABLE has fallen, ERROR is there, an answer is refused,
 * and another initiator on their CPU is still served. */
#include "handles.h"
#include "tests/guest/fault/fault_cross.h"

#define UNMAPPED 0x10000 /* no process may write there */

static const struct doomed {
    const char *name;
    uint32_t handle;
    struct doom doom;
} all[] = {
    {"patient_fault", HANDLE_PATIENT_FAULT, {50 * MS, UNMAPPED}},
    {"patient_exit", HANDLE_PATIENT_EXIT, {50 * MS, 0}},
    {"hasty_fault", HANDLE_HASTY_FAULT, {30 * US, UNMAPPED}},
    {"hasty_exit", HANDLE_HASTY_EXIT, {30 * US, 0}},
};

static uint64_t reads; /* of second requests */

static void send_doom(const struct doomed *doomed)
{
    uint64_t request = 0;
    check_ok("first request", channel_respond_and_wait(doomed->handle, NULL, 0, &request, sizeof request, TIME_MAX),
             sizeof request);
    check_u64("first request", request, 1);
    check_status("doom", channel_respond(doomed->handle, &doomed->doom, sizeof doomed->doom).status, STATUS_OK);
}

/* Reads the second request, if it is there long enough, and has it when it is withdrawn. */
static void hold_request(uint32_t handle)
{
    uint64_t request = 0;
    struct result r = object_wait(handle, SIGNAL_READABLE | SIGNAL_ERROR, TIME_MAX);
    check_status("second request", r.status, STATUS_OK);
    r = channel_read(handle, 0, &request, sizeof request);
    if (r.status == STATUS_UNAVAILABLE)
        return;
    check_ok("second request", r, sizeof request);
    check_u64("second request", request, 2);
    reads++;
    while (object_wait(handle, SIGNAL_READABLE, 0).status == STATUS_OK)
        thread_yield();
    check_refused("answer after a deadline", channel_respond(handle, &request, sizeof request), STATUS_UNAVAILABLE);
}

static void check_death(uint32_t handle)
{
    uint64_t word = 0;
    check_status("death", object_wait(handle, SIGNAL_ERROR, TIME_MAX).status, STATUS_OK);
    check_signals("signals after a death", object_wait(handle, SIGNAL_ERROR | SIGNAL_READABLE, 0), SIGNAL_ERROR);
    check_refused("read from the dead", channel_read(handle, 0, &word, sizeof word), STATUS_UNAVAILABLE);
    check_refused("answer to the dead", channel_respond(handle, &word, sizeof word), STATUS_UNAVAILABLE);
    check_refused("answer to the dead and wait",
                  channel_respond_and_wait(handle, &word, sizeof word, &word, sizeof word, TIME_MAX),
                  STATUS_UNAVAILABLE);
    check_refused("wait for the dead", channel_respond_and_wait(handle, NULL, 0, &word, sizeof word, TIME_MAX),
                  STATUS_UNAVAILABLE);
    check_refused("signals of a death that was told", object_wait(handle, SIGNAL_ERROR | SIGNAL_READABLE, 0),
                  STATUS_DEADLINE_EXCEEDED);
    check_refused("wait for the dead again", channel_respond_and_wait(handle, NULL, 0, &word, sizeof word, 0),
                  STATUS_DEADLINE_EXCEEDED);
}

static void serve_living(uint64_t expected)
{
    uint64_t word = 0;
    check_ok("request of the living", channel_respond_and_wait(HANDLE_LIVING, NULL, 0, &word, sizeof word, TIME_MAX),
             sizeof word);
    check_u64("request of the living", word, expected);
    check_status("answer to the living", channel_respond(HANDLE_LIVING, &word, sizeof word).status, STATUS_OK);
}

int main(void)
{
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        send_doom(&all[i]);
        hold_request(all[i].handle);
        check_death(all[i].handle);
        serve_living(i);
        tern_log("fault_cross: initiator %s died and was heard", all[i].name);
    }
    check_ok("order to report", channel_respond_and_wait(HANDLE_REPORT, NULL, 0, NULL, 0, TIME_MAX), 0);
    check_status("report", channel_respond(HANDLE_REPORT, &reads, sizeof reads).status, STATUS_OK);
    check_sleep_until(HANDLE_REPORT, TIME_MAX - 1);
    tern_failure(STATUS_INTERNAL, "slept for centuries");
}
