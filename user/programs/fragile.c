/* SPDX-License-Identifier: MIT
 * A service that works until somebody asks it for something that it does not survive. Its supervisor starts it again,
 * with its memory as at boot: `done` begins anew. */
#include "handles.h"
#include "user/programs/fragile.h"

static uint32_t done;

static size_t serve(const struct task_request *request, struct task_response *response)
{
    if (!request)
        return 0;
    switch (request->kind) {
    case TASK_PANIC:
        tern_panic("task %u is too much", request->number);
    case TASK_FAULT:
        __builtin_trap();
    case TASK_EXIT:
        process_exit(3);
    default:
        *response = (struct task_response){++done, request->number};
        return sizeof *response;
    }
}

int main(void)
{
    struct task_request request;
    struct task_response response;
    for (;;) {
        struct result r = object_wait(HANDLE_TASKS, SIGNAL_READABLE, TIME_MAX);
        if (r.status == STATUS_OK)
            r = channel_read(HANDLE_TASKS, 0, &request, sizeof request);
        if (r.status != STATUS_OK)
            continue; /* withdrawn meanwhile */
        size_t n = serve(tern_message(const struct task_request, &request, r.value), &response);
        if (channel_respond(HANDLE_TASKS, &response, n).status == STATUS_OUT_OF_RANGE)
            (void)channel_respond(HANDLE_TASKS, NULL, 0);
    }
}
