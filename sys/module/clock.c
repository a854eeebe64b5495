/* SPDX-License-Identifier: MIT
 * Where time comes from. */
#include "sys/machine.h"
#include "sys/module/module.h"

#include <arch/clock.h>

static enum status get_stats(struct router_message *m, struct json *j)
{
    (void)m;
    json_open(j, NULL, '{');
    json_text(j, "source", clock_state.source);
    json_bool(j, "emulated_tsc", clock_state.emulated_tsc);
    json_number(j, "tsc_khz", clock_state.tsc_khz);
    json_number(j, "now_ns", clock_now_ns());
    json_number(j, "skew_ns", machine.tsc_skew_ns);
    json_close(j, '}');
    return STATUS_OK;
}

const struct module_request clock_requests[] = {
    {"get_stats", "The source and its rate, nanoseconds since boot, steps back between CPUs seen at boot.", get_stats},
    {0}};
