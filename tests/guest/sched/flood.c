/* SPDX-License-Identifier: MIT
 * Writes to the log from another CPU as fast as it can, for ever, at low priority. Half of the flood test. */
#include "handles.h"
#include "tests/guest/check.h"

int main(void)
{
    static char text[960];
    for (unsigned i = 0; i < sizeof text; i++)
        text[i] = i % 80 == 79 ? '\n' : 'x';
    for (;;)
        check_ok("log", debug_log(text, sizeof text), sizeof text);
}
