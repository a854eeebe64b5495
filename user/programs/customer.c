/* SPDX-License-Identifier: MIT
 * The customer of a fragile service and of a solid one. A call to the fragile one ends with UNAVAILABLE when it dies,
 * and the channel is WRITEABLE again when it is back; until then the calls to the solid one go on as ever. */
#include "handles.h"
#include "user/programs/fragile.h"

static uint32_t number;

static enum status ask(enum task_kind kind, struct task_response *response)
{
    struct task_request request = {kind, ++number};
    enum status s = tern_call(HANDLE_FRAGILE, &request, response, TIME_MAX);
    if (s == STATUS_OK && response->number != number)
        tern_panic("the answer to %u is for %u", number, response->number);
    return s;
}

/* It answers, for the first time in this life. */
static void expect_work(void)
{
    struct task_response response;
    enum status s = ask(TASK_WORK, &response);
    if (s != STATUS_OK || response.done != 1)
        tern_panic("work: %s", tern_status_name(s));
}

static void ask_the_solid_one(uint32_t letter)
{
    uint32_t response[2];
    struct result r = channel_transact(HANDLE_SOLID, &letter, sizeof letter, response, sizeof response, TIME_MAX);
    if (r.status != STATUS_OK || response[1] != letter)
        tern_panic("the solid service says %s", tern_status_name(r.status));
}

/* The number of calls to its neighbour while it is away. */
static uint32_t wait_until_it_is_back(void)
{
    uint32_t calls = 0;
    do
        ask_the_solid_one('a' + calls++ % 26);
    while (object_wait(HANDLE_FRAGILE, SIGNAL_WRITEABLE, 0).status != STATUS_OK);
    return calls;
}

int main(void)
{
    struct task_response response;
    expect_work();
    for (enum task_kind kind = TASK_PANIC; kind <= TASK_EXIT; kind++) {
        enum status s = ask(kind, &response);
        if (s != STATUS_UNAVAILABLE)
            tern_panic("task %u: %s", kind, tern_status_name(s));
        tern_log("customer: %u calls to its neighbour meanwhile", wait_until_it_is_back());
        expect_work();
    }
    return 0;
}
