/* SPDX-License-Identifier: MIT
 * A sensor that takes its time: a request starts a measurement, and when that is done it is answered. Between the two
 * the service goes on: with more channels it would serve them meanwhile. */
#include "handles.h"
#include "user/programs/sensor.h"
#include "user/rt/service.h"

static struct measure_request request;
static struct measure_response response;

static void finish(struct tern_service *s, struct tern_timer *t)
{
    (void)s, (void)t;
    response.value = request.round * request.round;
    (void)channel_respond(HANDLE_ASK, &response, sizeof response); /* unless the station has given up */
}

static struct tern_timer measurement = {.on_time = finish};

static size_t begin(struct tern_service *s, const struct tern_member *m, size_t n)
{
    (void)m;
    if (!tern_message(struct measure_request, s->request, n))
        return 0;
    response.round = request.round;
    tern_timer_set(s, &measurement, clock_now() + request.takes_ns);
    return TERN_LATER;
}

static struct tern_member members[] = {{.handle = HANDLE_ASK, .on_request = begin}};

static struct tern_service service = {
    .group = HANDLE_GROUP,
    .members = members,
    .count = 1,
    .request = &request,
    .room = sizeof request,
};

int main(void)
{
    tern_panic("sensor: %s", tern_status_name(tern_service_run(&service)));
}
