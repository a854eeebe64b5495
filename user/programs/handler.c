/* SPDX-License-Identifier: MIT
 * The handler of the worked example: each request is one letter in four bytes, the response its upper case and the
 * letter, four bytes each. The loop is the plain one, wait, read, respond; channel_respond_and_wait does all three in
 * one entry. */
#include "handles.h"
#include "user/rt/tern.h"

#define LETTER_MAX 0x10ffff

static uint32_t upper_case(uint32_t letter)
{
    return letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter;
}

static enum status handle_messages(void)
{
    for (;;) {
        struct result wait = object_wait(HANDLE_IPC, SIGNAL_READABLE, TIME_MAX);
        if (wait.status != STATUS_OK || !(wait.signals & SIGNAL_READABLE))
            return STATUS_INTERNAL;

        uint32_t letter = 0;
        struct result r = channel_read(HANDLE_IPC, 0, &letter, sizeof letter);
        if (r.status != STATUS_OK)
            return r.status;
        if (r.value != sizeof letter || letter > LETTER_MAX)
            return STATUS_INVALID_ARGUMENT;

        uint32_t response[2] = {upper_case(letter), letter};
        r = channel_respond(HANDLE_IPC, response, sizeof response);
        if (r.status != STATUS_OK)
            return r.status;
    }
}

int main(void)
{
    enum status status = handle_messages();
    tern_failure(status, "handler: %s", tern_status_name(status));
}
