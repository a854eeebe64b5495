/* SPDX-License-Identifier: MIT
 * What bench client and bench servers agree on: the first request of a server is answered with the number of its CPU,
 * four bytes; every later one with itself. So one client serves the same-CPU and the cross-CPU image. */
#pragma once
#include "user/rt/tern.h"
#include <stdint.h>

static _Noreturn __attribute__((noinline, cold)) void server_failed(enum status status)
{
    tern_failure(status, "bench server: %s", tern_status_name(status));
}

static inline void placement_answer(uint32_t handle)
{
    uint32_t cpu = cpu_id();
    struct result r = channel_respond_and_wait(handle, NULL, 0, NULL, 0, TIME_MAX);
    if (r.status == STATUS_OK)
        r = channel_respond(handle, &cpu, sizeof cpu);
    if (r.status != STATUS_OK)
        server_failed(r.status);
}
