/* SPDX-License-Identifier: MIT
 * The story: a client and a server each have a second thread that changes their buffers, the vectors that name them and
 * the memory behind, while the first one makes calls with them; the honest are their neighbours, or on another CPU,
 * which then copies while the memory changes. Each call is refused as documented or does no harm: the honest get bytes
 * of the hostile one's arena and no others, as many as they were told, in their buffers and nowhere else; their own
 * calls go on; no memory of anybody else has changed in the end. */
#include "handles.h"
#include "tests/guest/hostile/hostile.h"

static struct guarded request;
static unsigned char answer[LONGEST]; /* it ends up in an arena */
static uint64_t word;
static uint64_t requests, echoes;

/* A request of the hostile client; the answer's length is for no buffer in particular. */
static size_t examine(size_t n)
{
    check_at_most("length of a request", n, 8 * LONGEST);
    size_t copied = n < LONGEST ? n : LONGEST;
    check_bytes("request", &request, copied);
    for (size_t i = copied; i < LONGEST; i++) /* of one that was withdrawn while it was copied */
        if (request.bytes[i] != GUARD)
            check_at_least("behind a request", request.bytes[i], TOP_BIT);
    check_guard("beside the request", &request);
    memset(request.bytes, GUARD, sizeof request.bytes);
    requests++;
    return requests * 31 % 600;
}

static size_t echo(size_t n)
{
    check_u64("length of an honest request", n, sizeof(uint64_t));
    memcpy(&word, request.bytes, n);
    memset(request.bytes, GUARD, n);
    echoes++;
    return n;
}

/* Serves both clients until both are gone. */
static void serve(void)
{
    const void *response = NULL;
    size_t n = 0;
    for (int gone = 0; gone < 2;) {
        struct result r =
            channel_respond_and_wait(HANDLE_GROUP, response, n, request.bytes, sizeof request.bytes, TIME_MAX);
        response = NULL;
        if (r.status == STATUS_OUT_OF_RANGE) { /* less room than that */
            response = answer;
            n /= 2;
        } else if (r.status != STATUS_OK) {
            check_refused("request", r, STATUS_UNAVAILABLE); /* it gave up */
        } else if (!result_is_request(r)) {
            check_u64("signal", r.signals, SIGNAL_ERROR);
            gone++;
        } else {
            bool honest = r.value == HANDLE_ECHO;
            response = honest ? (const void *)&word : answer;
            n = honest ? echo(result_length(r)) : examine(result_length(r));
        }
    }
}

int main(void)
{
    uint64_t bytes = 0;
    guard(&request);
    memset(answer, TOP_BIT | 5, sizeof answer);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_ATTACK, SIGNAL_READABLE | SIGNAL_ERROR, HANDLE_ATTACK), 0);
    check_ok("add", wait_group_add(HANDLE_GROUP, HANDLE_ECHO, SIGNAL_READABLE | SIGNAL_ERROR, HANDLE_ECHO), 0);
    serve();
    check_ok("inquiry", channel_transact(HANDLE_INQUIRY, NULL, 0, &bytes, sizeof bytes, TIME_MAX), sizeof bytes);
    tern_log("judge: %lu hostile requests, %lu honest ones; %lu bytes of a bystander are as ever", requests, echoes,
             bytes);
    check_at_least("hostile requests", requests, 100);
    tern_success();
}
