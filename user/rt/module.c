/* SPDX-License-Identifier: MIT
 * Requests and answers of modules. */
#include "user/rt/module.h"

#include "sys/lib/string.h"

bool tern_module_is(const char *request, size_t n, const char *type, size_t *payload)
{
    size_t bytes = strlen(type);
    if (n < bytes || memcmp(request, type, bytes) != 0 || (n > bytes && request[bytes] != ' '))
        return false;
    *payload = n > bytes ? bytes + 1 : n;
    return true;
}

struct result tern_module_respond(uint64_t handle, enum status status, const char *text, size_t n)
{
    uint32_t first = status;
    struct user_piece pieces[] = {{(uintptr_t)&first, sizeof first}, {(uintptr_t)text, n}};
    return channel_respond(handle, pieces, PIECES(2));
}
