/* SPDX-License-Identifier: MIT
 * The control port with a played port, a played router and a clock that stands until it is moved: what is asked of
 * whom, what is written, in which order, and how much is done at one tick. */
#include "sys/control.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include "ipc/event_bus.h"
#include "ipc/router.h"
#include "mm/page.h"
#include "sys/module/module.h"
#include "sys/stream.h"

#include <arch/clock.h>
#include <arch/memory.h>

enum { PORT_BYTES = 1 << 22, USER = MODULES_OF_KERNEL, FRAMES = 64 };

static struct port {
    bool announced, open;
    char *in; /* from the host, not read yet */
    size_t in_bytes, in_next;
    char *out;
    size_t out_bytes, room; /* how much the host takes */
} port;

static _Alignas(PAGE_SIZE) unsigned char memory[FRAMES * PAGE_SIZE];
static size_t frames;
static struct event_subscription *tick;
static bool announced;           /* the carrier says when something comes */
static uint64_t now_ns, step_ns; /* what each look at the clock takes */

static const char *names[ROUTER_MODULES_MAX];
static enum status post_says;
static struct router_message *posted[16];
static size_t posts, answered;

uint64_t clock_now_ns(void)
{
    return now_ns += step_ns;
}

void stream_poll(void)
{
}

bool stream_is_announced(void)
{
    return announced;
}

bool stream_is_expected(enum stream_id id)
{
    return port.announced && id == STREAM_CONTROL;
}

struct stream *stream_get(enum stream_id id)
{
    return stream_is_expected(id) && port.open ? (struct stream *)&port : NULL;
}

size_t stream_write(struct stream *p, const void *bytes, size_t n)
{
    cr_assert(eq(ptr, p, &port));
    n = n < port.room ? n : port.room;
    memcpy(port.out + port.out_bytes, bytes, n);
    port.out_bytes += n;
    port.out[port.out_bytes] = '\0';
    port.room -= n;
    return n;
}

size_t stream_read(struct stream *p, void *buf, size_t n)
{
    cr_assert(eq(ptr, p, &port));
    size_t left = port.in_bytes - port.in_next;
    n = n < left ? n : left;
    memcpy(buf, port.in + port.in_next, n);
    port.in_next += n;
    return n;
}

enum status page_alloc(size_t count, size_t align_bytes, paddr_t *out)
{
    cr_assert(le(sz, count + frames, (size_t)FRAMES));
    (void)align_bytes;
    *out = test_phys_base + frames * PAGE_SIZE;
    frames += count;
    return STATUS_OK;
}

enum status event_subscribe(struct event_subscription *s)
{
    tick = s;
    return STATUS_OK;
}

enum status event_subscribe_at_boot(uint32_t cpu, struct event_subscription *s)
{
    cr_assert(eq(u32, cpu, 0));
    cr_assert(eq(u32, s->topics, TOPIC_TICK));
    tick = s;
    return STATUS_OK;
}

enum status router_lookup(const char *name, size_t n, uint32_t *id)
{
    for (uint32_t i = 0; i < ROUTER_MODULES_MAX; i++)
        if (names[i] && strlen(names[i]) == n && memcmp(names[i], name, n) == 0) {
            *id = i;
            return STATUS_OK;
        }
    return STATUS_NOT_FOUND;
}

const char *router_module_name(uint32_t id)
{
    return names[id];
}

enum status router_post(uint32_t id, struct router_message *m, struct router_from from)
{
    cr_assert(eq(u32, from.origin, FROM_HOST));
    cr_assert(not(m->busy));
    cr_assert(lt(sz, posts, sizeof(posted) / sizeof(posted[0])));
    if (post_says != STATUS_OK)
        return post_says;
    m->busy = true;
    m->module = id;
    m->answer_bytes = 0;
    m->answer_cut = false;
    posted[posts++] = m;
    return STATUS_OK;
}

/* The module answers message number `i`. */
static void answer_bytes(size_t i, enum status s, const char *bytes, size_t n)
{
    struct router_message *m = posted[i];
    m->answer_cut = n > m->room;
    n = n < m->room ? n : m->room;
    memcpy(m->answer, bytes, n);
    m->answer_bytes = n;
    m->busy = false;
    m->done(m, s);
}

static void answer(size_t i, enum status s, const char *text)
{
    answer_bytes(i, s, text, strlen(text));
}

static void look(void)
{
    const struct event e = {.kind = EVENT_TICK};
    cr_assert(eq(int, tick->handle(tick, &e), EVENT_HANDLED));
}

static void send_bytes(const char *bytes, size_t n)
{
    memcpy(port.in + port.in_bytes, bytes, n);
    port.in_bytes += n;
}

/* The host sends, and the next tick comes. */
static void ask(const char *text)
{
    send_bytes(text, strlen(text));
    look();
}

/* What has been written since the last time is this. */
static void said(const char *expected)
{
    cr_assert(eq(str, port.out, (char *)(uintptr_t)expected));
    port.out_bytes = 0;
    port.out[0] = '\0';
}

static void begin(void)
{
    port = (struct port){.announced = true, .open = true, .room = PORT_BYTES / 2};
    port.in = malloc(PORT_BYTES);
    port.out = calloc(1, PORT_BYTES);
    test_phys = memory;
    test_phys_base = 0x100000;
    test_phys_bytes = sizeof(memory);
    names[0] = "clock";
    names[3] = "bus";
    names[USER] = "mine";
    control_init();
}

static void end(void)
{
    free(port.in);
    free(port.out);
}

TestSuite(control, .init = begin, .fini = end, .timeout = 20);

Test(control, without_the_port_there_is_no_tick)
{
    tick = NULL;
    frames = 0;
    port.announced = false;
    control_init();
    cr_assert(zero(ptr, tick));
    cr_assert(zero(sz, frames));
}

Test(control, ticks_begin_with_the_first_request_where_it_is_announced)
{
    tick = NULL;
    announced = true;
    control_init();
    cr_assert(zero(ptr, tick));
    control_look();
    cr_assert(zero(ptr, tick));
    send_bytes("clock get_stats\n", 16);
    control_look();
    cr_assert(eq(sz, posts, (size_t)1));
    cr_assert(ne(ptr, tick, NULL));
    answer(0, STATUS_OK, "{}");
    said("{\"id\":1,\"module\":\"clock\",\"type\":\"get_stats\",\"status\":\"OK\",\"answer\":{}}\n");
}

Test(control, one_request)
{
    ask("clock get_stats with payload\n");
    cr_assert(eq(sz, posts, 1));
    const struct router_message *m = posted[0];
    cr_assert(eq(u32, m->module, 0));
    cr_assert(eq(str, (char *)(uintptr_t)m->type, "get_stats"));
    cr_assert(m->payload_bytes == 12 && memcmp(m->payload, "with payload", 12) == 0);
    cr_assert(m->deadline_ns > now_ns && m->deadline_ns != UINT64_MAX);
    said("");
    answer(0, STATUS_OK, "{\"khz\":1}");
    said("{\"id\":1,\"module\":\"clock\",\"type\":\"get_stats\",\"status\":\"OK\",\"answer\":{\"khz\":1}}\n");
}

Test(control, the_tag_comes_back)
{
    ask("#ab-1 clock get_stats\n");
    answer(0, STATUS_OK, "{}");
    said("{\"id\":1,\"tag\":\"ab-1\",\"module\":\"clock\",\"type\":\"get_stats\",\"status\":\"OK\",\"answer\":{}}\n");
    ask("# clock x\n");
    answer(1, STATUS_OK, "{}");
    said("{\"id\":2,\"module\":\"clock\",\"type\":\"x\",\"status\":\"OK\",\"answer\":{}}\n");
    ask("#01234567890123456789012345678901 clock x\n");
    said(
        "{\"id\":3,\"module\":\"clock\",\"type\":\"x\",\"status\":\"INVALID_ARGUMENT\",\"error\":\"a request is [#TAG] "
        "MODULE TYPE [PAYLOAD], tag and type of 31 bytes at most\"}\n");
}

Test(control, answers_of_processes_are_texts)
{
    ask("mine t\n");
    answer_bytes(0, STATUS_OK, "{\"a\":1}\n\0\xff", 10);
    said("{\"id\":1,\"module\":\"mine\",\"type\":\"t\",\"status\":\"OK\",\"answer\":\"{\\\"a\\\":1}\\n\\u0000\\u00ff\"}"
         "\n");
    ask("mine t\n");
    answer(1, STATUS_OK, "");
    said("{\"id\":2,\"module\":\"mine\",\"type\":\"t\",\"status\":\"OK\",\"answer\":\"\"}\n");
}

Test(control, refusals_have_a_sentence)
{
    ask("clock t\n");
    answer(0, STATUS_OUT_OF_RANGE, "too \"far\"");
    said("{\"id\":1,\"module\":\"clock\",\"type\":\"t\",\"status\":\"OUT_OF_RANGE\",\"error\":\"too \\\"far\\\"\"}\n");
    ask("mine t\n");
    answer(1, STATUS_CANCELLED, "");
    said(
        "{\"id\":2,\"module\":\"mine\",\"type\":\"t\",\"status\":\"CANCELLED\",\"error\":\"the operation was cancelled "
        "before it completed\"}\n");
    post_says = STATUS_RESOURCE_EXHAUSTED;
    ask("clock t\n");
    said("{\"id\":3,\"module\":\"clock\",\"type\":\"t\",\"status\":\"RESOURCE_EXHAUSTED\",\"error\":\"a table or queue "
         "of "
         "fixed size is full\"}\n");
}

Test(control, nonsense_is_answered)
{
    ask("nobody t\n\x01\n");
    said("{\"id\":1,\"module\":\"nobody\",\"type\":\"t\",\"status\":\"NOT_FOUND\",\"error\":\"there is no such module; "
         "`help` lists them\"}\n"
         "{\"id\":2,\"module\":\"\\u0001\",\"type\":\"\",\"status\":\"INVALID_ARGUMENT\",\"error\":\"a request is "
         "[#TAG] "
         "MODULE TYPE [PAYLOAD], tag and type of 31 bytes at most\"}\n");
}

/* What is cut cannot be JSON any more; a text can be cut. */
Test(control, answers_that_were_cut)
{
    static char text[5000];
    memset(text, 'x', sizeof(text));
    ask("clock t\n");
    answer_bytes(0, STATUS_OK, text, sizeof(text));
    said("{\"id\":1,\"module\":\"clock\",\"type\":\"t\",\"status\":\"RESOURCE_EXHAUSTED\",\"error\":\"a table or queue "
         "of "
         "fixed size is full\"}\n");
    ask("mine t\n");
    answer_bytes(1, STATUS_OK, text, sizeof(text));
    cr_assert(not(zero(ptr, strstr(port.out, "xxx\",\"cut\":true}\n"))));
}

/* Every byte of request and answer becomes six. */
Test(control, the_longest_answers_fit)
{
    static char text[5000], line[1024];
    memset(text, '\xff', sizeof(text));
    memset(line, '\xff', sizeof(line));
    for (size_t i = 0; i < 3; i++) {
        ask("mine t\n");
        answer_bytes(i, i % 2 ? STATUS_OK : STATUS_INTERNAL, text, sizeof(text));
    }
    line[1023] = '\n';
    send_bytes(line, 1024);
    line[1022] = ' ';
    send_bytes(line, 1024);
    look();
    cr_assert(port.out_bytes > (size_t)6 * (3 * 4096 + 2 * 1022));
}

Test(control, one_at_a_time_and_in_order)
{
    ask("clock a\nbus b\nclock c\n");
    cr_assert(eq(sz, posts, 1));
    look();
    cr_assert(eq(sz, posts, 1));
    answer(0, STATUS_OK, "{}");
    cr_assert(eq(sz, posts, 2));
    cr_assert(eq(str, posted[1]->type, "b"));
    answer(1, STATUS_OK, "{}");
    answer(2, STATUS_OK, "{}");
    said("{\"id\":1,\"module\":\"clock\",\"type\":\"a\",\"status\":\"OK\",\"answer\":{}}\n"
         "{\"id\":2,\"module\":\"bus\",\"type\":\"b\",\"status\":\"OK\",\"answer\":{}}\n"
         "{\"id\":3,\"module\":\"clock\",\"type\":\"c\",\"status\":\"OK\",\"answer\":{}}\n");
}

Test(control, all_modules)
{
    ask("#9 help\n");
    cr_assert(eq(str, posted[0]->type, "help"));
    answer(0, STATUS_OK, "{\"a\":1}");
    answer(1, STATUS_INTERNAL, "oh");
    answer(2, STATUS_OK, "text");
    said("{\"id\":1,\"tag\":\"9\",\"module\":\"*\",\"type\":\"help\",\"answers\":["
         "{\"module\":\"clock\",\"status\":\"OK\",\"answer\":{\"a\":1}},"
         "{\"module\":\"bus\",\"status\":\"INTERNAL\",\"error\":\"oh\"},"
         "{\"module\":\"mine\",\"status\":\"OK\",\"answer\":\"text\"}],\"status\":\"OK\"}\n");
    names[3] = names[USER] = NULL;
    ask("* get_stats x\n");
    answer(3, STATUS_UNIMPLEMENTED, "");
    said("{\"id\":2,\"module\":\"*\",\"type\":\"get_stats\",\"answers\":["
         "{\"module\":\"clock\",\"status\":\"UNIMPLEMENTED\",\"error\":\"this kind of object does not have this "
         "operation\"}],\"status\":\"NOT_FOUND\",\"error\":\"no module says OK\"}\n");
}

Test(control, long_lines_are_refused_and_skipped)
{
    static char line[3000];
    memset(line, 'y', sizeof(line));
    memcpy(line, "#t m t ", 7);
    send_bytes(line, sizeof(line));
    ask("\nclock t\n");
    look();
    said("{\"id\":1,\"tag\":\"t\",\"module\":\"m\",\"type\":\"t\",\"status\":\"INVALID_ARGUMENT\",\"error\":\"a "
         "request has "
         "at most 1023 bytes\"}\n");
    cr_assert(eq(sz, posts, 1));
}

Test(control, a_tick_reads_and_begins_so_much)
{
    static char flood[20000];
    memset(flood, 'z', sizeof(flood));
    send_bytes(flood, sizeof(flood));
    for (size_t ticks = 1; ticks < 5; ticks++) {
        look();
        cr_assert(eq(sz, port.in_next, ticks * 4096));
    }
    look();
    port.in_next = port.in_bytes;
    ask("\n");
    port.out_bytes = 0;
    for (size_t i = 0; i < 100; i++)
        send_bytes("nobody t\n", 9);
    for (uint32_t ticks = 0; ticks < 13; ticks++) {
        size_t lines = 0, wanted = ticks < 12 ? 8 : 4;
        port.out_bytes = 0;
        look();
        for (size_t i = 0; i < port.out_bytes; i++)
            lines += port.out[i] == '\n';
        cr_assert(eq(sz, lines, wanted));
    }
}

Test(control, a_tick_ends_when_its_time_is_over)
{
    for (size_t i = 0; i < 8; i++)
        send_bytes("nobody t\n", 9);
    step_ns = 400000;
    look();
    cr_assert(eq(sz, port.out_bytes, strlen(strtok(port.out, "\n")) + 1), "one line");
}

Test(control, a_host_that_does_not_read)
{
    port.room = 100;
    for (size_t i = 0; i < 4000; i++)
        send_bytes("nobody t\n", 9);
    for (unsigned ticks = 0; ticks < 1000; ticks++)
        look();
    cr_assert(eq(sz, port.out_bytes, 100));
    cr_assert(port.in_next < port.in_bytes, "the rest stays where it is");
    for (unsigned ticks = 0; ticks < 1000; ticks++) {
        port.room = 3333;
        look();
    }
    unsigned lines = 0;
    for (char *line = strtok(port.out, "\n"); line; line = strtok(NULL, "\n")) {
        char expected[40];
        snprintf(expected, sizeof(expected), "{\"id\":%u,\"module\":\"nobody\"", ++lines);
        cr_assert(zero(strncmp(line, expected, strlen(expected))), "%s", line);
    }
    cr_assert(eq(u32, lines, 4000));
}

/* It is told so, its answer goes nowhere, and the messages that such modules hold are not used again. */
Test(control, a_module_that_does_not_answer)
{
    for (size_t i = 0; i < 4; i++) {
        ask("mine t\n");
        now_ns += 3999999999;
        look();
        cr_assert(zero(sz, port.out_bytes));
        now_ns += 1;
        look();
        cr_assert(not(zero(ptr, strstr(port.out, "DEADLINE_EXCEEDED"))));
        port.out_bytes = 0;
    }
    ask("mine t\n");
    cr_assert(not(zero(ptr, strstr(port.out, "too many modules have not answered yet"))));
    port.out_bytes = 0;
    answer(2, STATUS_OK, "late");
    cr_assert(zero(sz, port.out_bytes));
    ask("mine u\n");
    cr_assert(eq(ptr, posted[4], posted[2]));
    answer(4, STATUS_OK, "");
    cr_assert(not(zero(ptr, strstr(port.out, "\"type\":\"u\",\"status\":\"OK\""))));
}

Test(control, all_modules_together_have_one_deadline)
{
    ask("* t\n");
    now_ns += 4000000000;
    look();
    cr_assert(eq(sz, posts, 1));
    said(
        "{\"id\":1,\"module\":\"*\",\"type\":\"t\",\"answers\":["
        "{\"module\":\"clock\",\"status\":\"DEADLINE_EXCEEDED\",\"error\":\"the module does not answer\"},"
        "{\"module\":\"bus\",\"status\":\"DEADLINE_EXCEEDED\",\"error\":\"the deadline passed before the operation "
        "completed\"},{\"module\":\"mine\",\"status\":\"DEADLINE_EXCEEDED\",\"error\":\"the deadline passed before the "
        "operation completed\"}],\"status\":\"NOT_FOUND\",\"error\":\"no module says OK\"}\n");
}

Test(control, a_client_that_goes_takes_everything_with_it)
{
    ask("clock a\nclock b\nhalf a line");
    port.room = 10;
    port.open = false;
    look();
    port.open = true;
    port.room = PORT_BYTES / 2;
    answer(0, STATUS_OK, "{}");
    ask("half");
    port.open = false;
    look();
    port.open = true;
    ask("bus c\n");
    cr_assert(eq(str, posted[1]->type, "c"));
    answer(1, STATUS_OK, "{}");
    said("{\"id\":2,\"module\":\"bus\",\"type\":\"c\",\"status\":\"OK\",\"answer\":{}}\n");
}

/* Any bytes: nothing but whole lines comes out, and it goes on. */
Test(control, random_bytes)
{
    static const char alphabet[] = "# \n\r\0\xff\"\\*mclock bus help t";
    uint32_t seed = 7;
    for (unsigned round = 0; round < 3000; round++) {
        char bytes[64];
        for (size_t i = 0; i < sizeof(bytes); i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = alphabet[(seed >> 16) % sizeof(alphabet)];
        }
        send_bytes(bytes, sizeof(bytes));
        look();
        for (; answered < posts; answered++)
            answer(answered, STATUS_OK, "{}");
        posts = answered = 0;
    }
    cr_assert(port.out_bytes > 10000);
    for (char *line = strtok(port.out, "\n"); line; line = strtok(NULL, "\n"))
        cr_assert(line[0] == '{' && line[strlen(line) - 1] == '}', "%s", line);
}
