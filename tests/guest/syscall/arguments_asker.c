/* SPDX-License-Identifier: MIT
 * Asker of the arguments test: sends requests without end. An answer changes the bytes that it has and no other. */
#include "handles.h"
#include "tests/guest/syscall/arguments/arguments.h"

int main(void)
{
    unsigned char request[REQUEST_BYTES], answer[ASKER_ROOM];
    for (size_t i = 0; i < sizeof request; i++)
        request[i] = (unsigned char)(i + 1);
    for (;;) {
        memset(answer, UNTOUCHED, sizeof answer);
        struct result r = channel_transact(HANDLE_ASK, request, sizeof request, answer, sizeof answer, TIME_MAX);
        check_status("answer", r.status, STATUS_OK);
        check_at_most("length of an answer", r.value, 8);
        for (size_t i = r.value; i < sizeof answer; i++)
            check_u64("byte behind an answer", answer[i], UNTOUCHED);
    }
}
