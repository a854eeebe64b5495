/* SPDX-License-Identifier: MIT
 * Asks the module "echo", by its name, and hears of its process's beginning by the event bus. */
#include "handles.h"
#include "sys/lib/string.h"
#include "user/rt/tern.h"

static void ask(const char *request)
{
    char answer[64];
    struct result r = router_request(HANDLE_ASK, request, strlen(request), answer, sizeof answer, TIME_MAX);
    if (r.status == STATUS_OK)
        tern_log("%s: '%.*s'", request, (int)(r.value < sizeof answer ? r.value : sizeof answer), answer);
    else
        tern_log("%s: %s", request, tern_status_name(r.status));
}

int main(void)
{
    struct event e;
    struct result r = object_wait(HANDLE_BIRTHS, SIGNAL_READABLE, TIME_MAX);
    if (r.status == STATUS_OK)
        r = event_read(HANDLE_BIRTHS, &e, sizeof e);
    if (r.status != STATUS_OK)
        tern_failure(r.status, "no event came");
    tern_log("%s was created on CPU %u", e.word[0] == 0 ? "the first process" : "another process", e.cpu);
    ask("echo say hello, world");
    ask("echo say");
    ask("echo count");
    ask("echo shout");
    ask("nobody say hello");
    tern_success();
}
