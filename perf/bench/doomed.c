/* SPDX-License-Identifier: MIT
 * The server of process.death.64: has 64 handlers and answers nobody. */
#include "handles.h"
#include "perf/bench/placement.h"

int main(void)
{
    struct result r = object_wait(HANDLE_PROCESS, SIGNAL_JOINABLE, TIME_MAX);
    server_failed(r.status);
}
