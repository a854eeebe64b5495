/* SPDX-License-Identifier: MIT
 * The list of what is not there. A name past the last place is dropped: there are more places than devices. */
#include "sys/lib/absent.h"

#include "sys/lib/printf.h"
#include "sys/lib/string.h"

#define NAMES_MAX 12

static const char *names[NAMES_MAX]; /* [1] */
static size_t count;                 /* [1] */

void absent_note(const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return;
    if (count < NAMES_MAX)
        names[count++] = name;
}

size_t absent_describe(char *out, size_t bytes)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n + strlen(names[i]) + 3 <= bytes; i++)
        n += (size_t)ksnprintf(out + n, bytes - n, "%s%s", n ? ", " : "", names[i]);
    return n;
}
