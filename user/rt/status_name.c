/* SPDX-License-Identifier: MIT
 * Names of the status codes. */
#include "user/rt/tern.h"

static const char *const names[] = {
#define STATUS(name, code, sentence) [code] = #name,
#include "sys/abi/status.def"
#undef STATUS
};

const char *tern_status_name(enum status status)
{
    uint32_t code = status;
    if (code >= sizeof names / sizeof names[0])
        return "no status";
    return names[code];
}
