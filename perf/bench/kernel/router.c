/* SPDX-License-Identifier: MIT
 * What does a request to a module cost, with a handler that answers at once: on one CPU a call, on another one a
 * message each way, for which both CPUs look. */
#include "ipc/router.h"
#include "perf/bench/kernel/measure.h"
#include "perf/bench/kernel/partner.h"

enum { ID = ROUTER_MODULES_MAX / 2 - 1 }; /* behind the kernel's modules, before those of processes */

static uint32_t failed; /* enum status of some request, or 0 */

static enum status answer(struct router_module *module, struct router_message *m)
{
    (void)module, (void)m;
    return STATUS_OK;
}

static struct router_module module = {.name = "bench", .id = ID, .handle = answer};
static struct router_message message = {.type = "nothing", .deadline_ns = UINT64_MAX};

static void begin(void)
{
    (void)router_register(&module);
}

static void end(void)
{
    (void)router_unregister(&module);
}

static void ask(void *argument)
{
    (void)argument;
    failed |= (uint32_t)router_send(ID, &message, (struct router_from){FROM_KERNEL, 0});
}

static enum status result(enum status s)
{
    return s == STATUS_OK && failed ? STATUS_INTERNAL : s;
}

enum status measure_router(uint64_t *ticks, size_t count)
{
    enum status s = router_register(&module);
    if (s != STATUS_OK)
        return s;
    failed = 0;
    measure_loop(ticks, count, ask, NULL);
    return result(router_unregister(&module));
}

enum status measure_router_cross(uint64_t *ticks, size_t count)
{
    enum status s = partner_call(1, begin);
    if (s != STATUS_OK)
        return s;
    failed = 0;
    measure_loop(ticks, count, ask, NULL);
    return result(partner_call(1, end));
}
