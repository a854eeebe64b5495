/* SPDX-License-Identifier: MIT
 * A process of the arguments test that has no object but itself: no other handle is one. It is more urgent than the
 * others, which end the machine, and ends before they begin. */
#include "handles.h"
#include "tests/guest/check.h"

_Static_assert(HANDLE_PROCESS == 0, "nothing else");

int main(void)
{
    static const uint64_t handles[] = {1, 2, 3, 4, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX};
    unsigned char byte = 0;
    for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++) {
        uint64_t h = handles[i];
        check_refused("wait", object_wait(h, SIGNAL_USER, 0), STATUS_OUT_OF_RANGE);
        check_refused("transact", channel_transact(h, &byte, 1, &byte, 1, 0), STATUS_OUT_OF_RANGE);
        check_refused("read", channel_read(h, 0, &byte, 1), STATUS_OUT_OF_RANGE);
        check_refused("respond", channel_respond(h, &byte, 1), STATUS_OUT_OF_RANGE);
        check_refused("respond and wait", channel_respond_and_wait(h, &byte, 1, &byte, 1, 0), STATUS_OUT_OF_RANGE);
        check_refused("export", histogram_export(h, "x", 1), STATUS_OUT_OF_RANGE);
    }
    return 0;
}
