/* SPDX-License-Identifier: MIT
 * The module "echo": says what it is asked to say, and how often it has. Whoever has a router object may ask, and so
 * may the host, by the control port: `./tern ctl echo say hello`. */
#include "handles.h"
#include "sys/lib/printf.h"
#include "user/rt/module.h"

static uint64_t said;

static void answer(const char *text, size_t n)
{
    size_t payload;
    char number[24];
    enum status status = STATUS_OK;
    const char *out = "say TEXT, count, help";
    size_t bytes = sizeof "say TEXT, count, help" - 1;
    if (tern_module_is(text, n, "say", &payload)) {
        said++;
        out = text + payload;
        bytes = n - payload;
    } else if (tern_module_is(text, n, "count", &payload)) {
        out = number;
        bytes = (size_t)ksnprintf(number, sizeof number, "%lu", said);
    } else if (!tern_module_is(text, n, "help", &payload)) {
        status = STATUS_UNIMPLEMENTED;
    }
    (void)tern_module_respond(HANDLE_ECHO, status, out, bytes); /* who asked may be gone */
}

int main(void)
{
    char text[TERN_MODULE_REQUEST_BYTES];
    for (;;) {
        struct result r = channel_respond_and_wait(HANDLE_ECHO, NULL, 0, text, sizeof text, TIME_MAX);
        if (r.status == STATUS_OK)
            answer(text, r.value);
    }
}
