/* SPDX-License-Identifier: MIT
 * The initiator of the worked example: sends each of the 26 letters to the handler and checks that 'a' comes back as
 * "Aa". */
#include "handles.h"
#include "user/rt/tern.h"

static void send_one(uint32_t letter)
{
    uint32_t response[2] = {0, 0};
    struct result r = channel_transact(HANDLE_IPC, &letter, sizeof letter, response, sizeof response, TIME_MAX);
    if (r.status != STATUS_OK)
        tern_failure(r.status, "sending '%c': %s", (char)letter, tern_status_name(r.status));
    if (r.value != sizeof response)
        tern_failure(STATUS_OUT_OF_RANGE, "'%c' came back as %lu bytes, not %zu", (char)letter, r.value,
                     sizeof response);
    if (response[0] != letter - 'a' + 'A' || response[1] != letter)
        tern_failure(STATUS_DATA_LOSS, "'%c' came back as %x %x", (char)letter, response[0], response[1]);
    tern_log("'%c' -> \"%c%c\"", (char)letter, (char)response[0], (char)response[1]);
}

int main(void)
{
    for (uint32_t letter = 'a'; letter <= 'z'; letter++)
        send_one(letter);
    tern_success();
}
