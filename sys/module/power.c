/* SPDX-License-Identifier: MIT
 * What stands in for hardware, and the end of the machine, on request. */
#include "sys/lib/log.h"
#include "sys/module/module.h"
#include "sys/shutdown.h"

#include <arch/platform.h>

#define GRACE_MS 100
#define GRACE_MS_MAX 60000

static enum status get_stats(struct router_message *m, struct json *j)
{
    (void)m;
    json_open(j, NULL, '{');
    json_text(j, "timer", platform.timer_name);
    json_text(j, "wake", platform.wake_name);
    json_bool(j, "ending", shutdown_is_near());
    json_close(j, '}');
    return STATUS_OK;
}

static enum status off(struct router_message *m, struct json *j)
{
    const char *text = m->payload;
    size_t n = m->payload_bytes;
    struct module_word w = module_word(&text, &n);
    uint64_t ms = GRACE_MS;
    if ((w.n && !module_number(w, &ms)) || !ms || ms > GRACE_MS_MAX)
        return module_refuse(m, STATUS_INVALID_ARGUMENT, "power off [MS]: milliseconds for the processes, 1 to 60000");
    log_info("power: off in %lu ms, asked for by the control port or a process", ms);
    shutdown_soon(ms * 1000000);
    return module_done(j);
}

const struct module_request power_requests[] = {
    {"get_stats", "The timer, how CPUs are woken, and whether the machine is about to end.", get_stats},
    {"off", "Ends the machine as a success; [MS] is what processes have after the shutdown event, 100 otherwise.", off},
    {0}};
