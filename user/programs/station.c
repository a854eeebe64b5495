/* SPDX-License-Identifier: MIT
 * Asks three sensors at the same time. Each call is started and goes on by itself; the wait group says which one is
 * over. Its buffers stay in use until then, so they are static, one pair for each sensor. */
#include "handles.h"
#include "user/programs/sensor.h"

#define SENSORS 3
#define ROUNDS 20
#define MEASUREMENT_NS UINT64_C(1000000)

static struct call {
    uint32_t handle;
    struct measure_request request;
    struct measure_response response;
} calls[SENSORS] = {{.handle = HANDLE_SENSOR_1}, {.handle = HANDLE_SENSOR_2}, {.handle = HANDLE_SENSOR_3}};

static void must(const char *what, enum status s)
{
    if (s != STATUS_OK)
        tern_failure(s, "%s: %s", what, tern_status_name(s));
}

static void start(struct call *c, uint64_t round)
{
    c->request = (struct measure_request){round, MEASUREMENT_NS};
    must("start",
         channel_async_transact(c->handle, &c->request, sizeof c->request, &c->response, sizeof c->response).status);
}

/* Waits for whichever is over first. */
static struct call *collect(void)
{
    struct result r = object_wait(HANDLE_GROUP, SIGNAL_READABLE, TIME_MAX);
    must("wait", r.status);
    struct call *c = &calls[r.value];
    r = channel_async_complete(c->handle);
    must("complete", r.status);
    if (r.value != sizeof c->response || c->response.round != c->request.round)
        tern_failure(STATUS_DATA_LOSS, "sensor %zu does not know the question", c - calls);
    return c;
}

int main(void)
{
    uint64_t sum = 0, before = clock_now();
    for (uint64_t i = 0; i < SENSORS; i++) {
        must("add", wait_group_add(HANDLE_GROUP, calls[i].handle, SIGNAL_READABLE, i).status);
        start(&calls[i], 1);
    }
    for (int left = SENSORS * ROUNDS; left > 0; left--) {
        struct call *c = collect();
        sum += c->response.value;
        if (c->response.round < ROUNDS)
            start(c, c->response.round + 1);
    }
    tern_log("%u measurements of 1 ms in %lu us, sum %lu", SENSORS * ROUNDS, (clock_now() - before) / 1000, sum);
    if (sum != SENSORS * ROUNDS * (ROUNDS + 1) * (2 * ROUNDS + 1) / 6)
        tern_failure(STATUS_DATA_LOSS, "the sum is wrong");
    tern_success();
}
