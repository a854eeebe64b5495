/* SPDX-License-Identifier: MIT
 * One server for four clients: it adds up what they send. One call does it all: it answers the last request, waits on
 * the wait group for the next one of any client, and reads it. When all clients are gone it checks the sum and ends the
 * machine. */
#include "handles.h"
#include "user/programs/fan_in.h"

#define CLIENTS 4
#define CALLS (CLIENTS * CONSTANT_CALLS)

static const uint32_t channels[CLIENTS] = {HANDLE_CLIENT_1, HANDLE_CLIENT_2, HANDLE_CLIENT_3, HANDLE_CLIENT_4};
static struct add_response response;

/* A client's end is a signal, told once. */
static void join_clients(void)
{
    for (uint64_t i = 0; i < CLIENTS; i++) {
        struct result r = wait_group_add(HANDLE_GROUP, channels[i], SIGNAL_READABLE | SIGNAL_ERROR, i);
        if (r.status != STATUS_OK)
            tern_failure(r.status, "client %lu: %s", i + 1, tern_status_name(r.status));
    }
}

/* The answer, or nothing for a request that is none. */
static size_t add(const struct add_request *request)
{
    if (!request)
        return 0;
    response.total += request->amount;
    response.calls++;
    return sizeof response;
}

int main(void)
{
    struct add_request request;
    const struct add_response *answer = NULL; /* none is due */
    size_t n = 0;
    join_clients();
    for (int left = CLIENTS; left > 0;) {
        struct result r = channel_respond_and_wait(HANDLE_GROUP, answer, n, &request, sizeof request, TIME_MAX);
        answer = NULL;
        if (r.status == STATUS_OK && result_is_request(r)) {
            answer = &response;
            n = add(tern_message(const struct add_request, &request, result_length(r)));
        } else if (r.status == STATUS_OK) {
            tern_log("client %lu is gone", r.value + 1);
            left--;
        } else if (r.status == STATUS_OUT_OF_RANGE) { /* it has no room for the answer: it gets an empty one */
            answer = &response;
            n = 0;
        } else if (r.status != STATUS_UNAVAILABLE) { /* it did not wait for its answer: let it */
            tern_failure(r.status, "server: %s", tern_status_name(r.status));
        }
    }
    tern_log("%lu calls, total %lu", response.calls, response.total);
    if (response.calls != CALLS || response.total != CLIENTS * CONSTANT_CALLS * (CONSTANT_CALLS + 1ul) / 2)
        tern_failure(STATUS_DATA_LOSS, "expected %u calls", CALLS);
    tern_success();
}
