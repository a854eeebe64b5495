/* SPDX-License-Identifier: MIT
 * The port that Xen gives every HVM and PVH guest for debugging. */
#include "drivers/xen/early.h"

#include "drivers/xen/domain.h"
#include "sys/lib/log.h"

#include <arch/io.h>
#include <stdbool.h>
#include <stddef.h>

#define DEBUG_PORT 0xe9 /* XEN_HVM_DEBUGCONS_IOPORT */

static bool active;

static void write(const char *bytes, size_t n)
{
    for (size_t i = 0; active && i < n; i++)
        io_out8(DEBUG_PORT, (uint8_t)bytes[i]);
}

static struct log_sink sink = {.write = write};

void xen_early_begin(void)
{
    active = xen_domain_get()->present;
    if (active)
        log_add_sink(&sink);
}

void xen_early_end(void)
{
    active = false;
}
