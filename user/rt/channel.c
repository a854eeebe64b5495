/* SPDX-License-Identifier: MIT
 * Messages of one exact length. */
#include "user/rt/message.h"
#include "user/rt/tern.h"

struct result tern_read_exact(uint64_t handle, size_t offset, void *buffer, size_t n)
{
    struct result r = channel_read(handle, offset, buffer, n);
    if (r.status == STATUS_OK && r.value != n)
        r = (struct result){.status = STATUS_OUT_OF_RANGE};
    return r;
}

enum status tern_call_exact(uint64_t handle, const void *request, size_t n, void *response, size_t m,
                            uint64_t deadline_ns)
{
    struct result r = channel_transact(handle, request, n, response, m, deadline_ns);
    return r.status == STATUS_OK && r.value != m ? STATUS_OUT_OF_RANGE : r.status;
}
