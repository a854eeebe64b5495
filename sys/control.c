/* SPDX-License-Identifier: MIT
 * From bytes to requests and from answers to bytes. One request is under way at a time. Everything is bounded, whatever
 * the host sends: how much is read, and how many requests begin, at a tick; how long an answer is waited for; how much
 * waits to be written, since no module is asked unless the longest answer has room. A host that does not read thus
 * stops its own requests and nothing else. A module that never answers keeps one of REQUESTS messages for ever, not
 * more than that. CPU 0 only. */
#include "sys/control.h"

#include "ipc/event_bus.h"
#include "ipc/router.h"
#include "mm/page.h"
#include "sys/json.h"
#include "sys/lib/log.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"
#include "sys/module/module.h"
#include "sys/request.h"
#include "sys/stream.h"

#include <arch/clock.h>

#define REQUESTS 4
#define ANSWER_BYTES 4096
#define TAG_BYTES_MAX 31
#define TICK_READ_BYTES 4096          /* at most, at one tick */
#define TICK_REQUESTS 8               /* likewise, that begin */
#define TICK_NS UINT64_C(1000000)     /* of work, after which no further request begins */
#define LIMIT_NS UINT64_C(4000000000) /* for an answer; the host's `tern ctl` waits somewhat longer */
/* The longest that is written in one go: an answer, or a refusal with what was asked. */
#define PIECE_BYTES_MAX (JSON_GROWTH * (ANSWER_BYTES + REQUEST_BYTES_MAX) + 512)
#define OUT_BYTES (2 * PIECE_BYTES_MAX)

/* A request to one module. */
struct asked {
    struct router_message message;
    bool given_up; /* nobody waits any more, but the module may still write */
    char name[NAME_BYTES];
    char payload[REQUEST_BYTES_MAX];
    char answer[ANSWER_BYTES];
};

/* What control_init allocates. */
struct room {
    struct asked asked[REQUESTS];
    char out[OUT_BYTES];
};

static const char *const status_names[STATUS_COUNT] = {
#define STATUS(name, code, sentence) [code] = #name,
#include "sys/abi/status.def"
#undef STATUS
};

static const char *const status_sentences[STATUS_COUNT] = {
#define STATUS(name, code, sentence) [code] = (sentence),
#include "sys/abi/status.def"
#undef STATUS
};

static struct room *room;
static struct request_reader reader;
static char input[512]; /* read from the port, not yet by the reader */
static size_t input_bytes, input_next;
static size_t out_bytes; /* in room->out, to be written */
static uint64_t lines;   /* that were answered, or are being */
static bool connected;   /* somebody listened when it was looked last */
static bool running, ticks;

/* What may still be done before the next tick. */
static struct {
    uint64_t ends_ns;
    uint32_t requests;
    size_t bytes;
} turn;

/* The line under way. Its words are in the reader, which is not given a byte meanwhile. */
static struct {
    bool active;
    bool to_all;
    bool any_ok;   /* to_all: of those who have answered */
    uint32_t next; /* to_all: the module to be asked next */
    uint64_t deadline_ns;
    const char *tag;
    size_t tag_bytes;
    struct request request;
    struct asked *asked; /* whose answer is waited for, or NULL */
} line;

static enum event_response handle_tick(struct event_subscription *s, const struct event *e);
static void run(void);
static struct event_subscription tick = {
    .name = "control", .handle = handle_tick, .topics = TOPIC_TICK, .priority = EVENT_PRIORITY_NORMAL, .always = true};

static void out_put(void *context, const char *bytes, size_t n)
{
    (void)context;
    panic_if(n > OUT_BYTES - out_bytes); /* PIECE_BYTES_MAX does not hold */
    memcpy(room->out + out_bytes, bytes, n);
    out_bytes += n;
}

static struct json out = {.put = out_put};

/* What the port takes; the rest moves to the front. */
static void out_flush(struct stream *stream)
{
    size_t taken = out_bytes ? stream_write(stream, room->out, out_bytes) : 0;
    if (!taken)
        return;
    out_bytes -= taken;
    memmove(room->out, room->out + taken, out_bytes);
}

static void write_status(enum status s)
{
    json_text(&out, "status", status_names[s]);
}

/* `why`: a sentence, or empty for what the status says in general. */
static void write_refusal(enum status s, const char *why, size_t n)
{
    write_status(s);
    if (n)
        json_bytes(&out, "error", why, n);
    else
        json_text(&out, "error", status_sentences[s]);
}

static void line_open(void)
{
    json_open(&out, NULL, '{');
    json_number(&out, "id", lines);
    if (line.tag_bytes)
        json_bytes(&out, "tag", line.tag, line.tag_bytes);
    json_bytes(&out, "module", line.request.module, line.request.module_bytes);
    json_bytes(&out, "type", line.request.type, line.request.type_bytes);
}

static void line_close(void)
{
    json_close(&out, '}');
    out_put(NULL, "\n", 1);
    out.comma = false;
    line.active = false;
}

/* A whole answer of one module, or an element of those of all. */
static void answer_open(const char *name)
{
    if (!line.to_all) {
        line_open();
        return;
    }
    json_open(&out, NULL, '{');
    json_text(&out, "module", name);
}

static void answer_close(void)
{
    if (line.to_all)
        json_close(&out, '}');
    else
        line_close();
}

static void refuse(const char *name, enum status s, const char *why)
{
    answer_open(name);
    write_refusal(s, why, strlen(why));
    answer_close();
}

static void write_text(const struct router_message *m)
{
    json_bytes(&out, "answer", m->answer, m->answer_bytes);
    if (m->answer_cut)
        json_bool(&out, "cut", true);
}

static void write_outcome(const struct router_message *m, enum status s)
{
    bool is_json = m->module < MODULES_OF_KERNEL;
    if (s != STATUS_OK) {
        write_refusal(s, m->answer, m->answer_bytes);
    } else if (is_json && m->answer_cut) {
        write_refusal(STATUS_RESOURCE_EXHAUSTED, "", 0);
    } else {
        line.any_ok = true;
        write_status(s);
        if (!is_json)
            write_text(m);
        else if (m->answer_bytes)
            json_raw(&out, "answer", m->answer, m->answer_bytes);
    }
}

static void handle_done(struct router_message *m, enum status s)
{
    struct asked *a = m->context;
    if (a->given_up) {
        a->given_up = false;
        return;
    }
    line.asked = NULL;
    answer_open(a->name);
    write_outcome(m, s);
    answer_close();
    run();
}

static struct asked *asked_free(void)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (!room->asked[i].given_up)
            return &room->asked[i];
    return NULL;
}

static void name_copy(char name[NAME_BYTES], const char *text)
{
    size_t n = strlen(text);
    n = n < NAME_BYTES ? n : NAME_BYTES - 1;
    memcpy(name, text, n);
    name[n] = '\0';
}

static void ask(uint32_t id, const char *name)
{
    struct asked *a = asked_free();
    if (clock_now_ns() >= line.deadline_ns) {
        refuse(name, STATUS_DEADLINE_EXCEEDED, "");
        return;
    }
    if (!a) {
        refuse(name, STATUS_RESOURCE_EXHAUSTED, "too many modules have not answered yet");
        return;
    }
    name_copy(a->name, name);
    memcpy(a->payload, line.request.payload, line.request.payload_bytes);
    a->message = (struct router_message){.payload = a->payload,
                                         .payload_bytes = line.request.payload_bytes,
                                         .answer = a->answer,
                                         .room = ANSWER_BYTES,
                                         .priority = ROUTER_NORMAL,
                                         .deadline_ns = line.deadline_ns,
                                         .done = handle_done,
                                         .context = a};
    memcpy(a->message.type, line.request.type, line.request.type_bytes);
    line.asked = a;
    enum status s = router_post(id, &a->message, (struct router_from){.origin = FROM_HOST});
    if (s == STATUS_OK)
        return;
    line.asked = NULL;
    refuse(name, s, "");
}

/* Asks the next of all modules, or ends the line. */
static void ask_next(void)
{
    while (line.next < ROUTER_MODULES_MAX) {
        uint32_t id = line.next++;
        const char *name = router_module_name(id);
        if (name) {
            ask(id, name);
            return;
        }
    }
    json_close(&out, ']');
    if (line.any_ok)
        write_status(STATUS_OK);
    else
        write_refusal(STATUS_NOT_FOUND, "no module says OK", 17);
    line_close();
}

/* Divides the reader's text into the words of `line`. False if they make no request. */
static bool line_parse(void)
{
    const char *text = reader.text;
    size_t n = reader.n, tag = 0;
    line.tag = text + 1;
    if (text[0] == '#')
        while (tag < n && text[tag] != ' ')
            tag++;
    bool tag_fits = tag <= TAG_BYTES_MAX + 1;
    line.tag_bytes = tag && tag_fits ? tag - 1 : 0;
    bool parsed = request_parse(text + tag, n - tag, &line.request) == STATUS_OK;
    if (bytes_are(line.request.module, line.request.module_bytes, "help") && !line.request.type_bytes) {
        line.request =
            (struct request){.module = "*", .module_bytes = 1, .type = "help", .type_bytes = 4, .payload = ""};
        parsed = true;
    }
    return parsed && tag_fits;
}

/* The reader has a line: asks whom it names, or the first of all, or refuses it. */
static void line_begin(enum request_news news)
{
    line = (typeof(line)){.active = true, .deadline_ns = clock_now_ns() + LIMIT_NS};
    lines++;
    bool parsed = line_parse();
    const struct request *r = &line.request;
    uint32_t id;
    if (news == REQUEST_TOO_LONG)
        refuse("", STATUS_INVALID_ARGUMENT, "a request has at most 1023 bytes");
    else if (!parsed)
        refuse("", STATUS_INVALID_ARGUMENT,
               "a request is [#TAG] MODULE TYPE [PAYLOAD], tag and type of 31 bytes at most");
    else if (bytes_are(r->module, r->module_bytes, "*")) {
        line_open();
        json_open(&out, "answers", '[');
        line.to_all = true;
    } else if (router_lookup(r->module, r->module_bytes, &id) != STATUS_OK)
        refuse("", STATUS_NOT_FOUND, "there is no such module; `help` lists them");
    else
        ask(id, "");
}

/* False: no whole line is there, or enough was read before the next tick. */
static bool line_read(struct stream *stream)
{
    for (;;) {
        if (input_next == input_bytes) {
            size_t most = turn.bytes < sizeof(input) ? turn.bytes : sizeof(input);
            input_next = 0;
            input_bytes = stream_read(stream, input, most);
            turn.bytes -= input_bytes;
        }
        if (!input_bytes)
            return false;
        enum request_news news = request_read(&reader, input[input_next++]);
        if (news == REQUEST_MORE)
            continue;
        line_begin(news);
        return true;
    }
}

/* The host is told, and the module may finish or not. */
static void give_up(void)
{
    struct asked *a = line.asked;
    a->given_up = true;
    line.asked = NULL;
    refuse(a->name, STATUS_DEADLINE_EXCEEDED, "the module does not answer");
}

/* One thing that can be done now; false if there is none. */
static bool step(struct stream *stream)
{
    if (line.asked && clock_now_ns() < line.deadline_ns)
        return false;
    if (line.asked) {
        give_up();
        return true;
    }
    if (OUT_BYTES - out_bytes < PIECE_BYTES_MAX || !turn.requests || clock_now_ns() >= turn.ends_ns)
        return false;
    if (line.active)
        ask_next();
    else if (!line_read(stream))
        return false;
    turn.requests--;
    return true;
}

/* Nobody listens any more: what was asked and answered is nobody's. */
static void forget(void)
{
    connected = false;
    if (line.asked)
        line.asked->given_up = true;
    line = (typeof(line)){0};
    reader = (typeof(reader)){0};
    input_bytes = input_next = out_bytes = 0;
    out.comma = false;
}

static void run(void)
{
    struct stream *stream = stream_get(STREAM_CONTROL);
    if (!stream && connected)
        forget();
    if (!stream || running)
        return;
    connected = running = true;
    do
        out_flush(stream);
    while (step(stream));
    running = false;
}

static enum event_response handle_tick(struct event_subscription *s, const struct event *e)
{
    (void)s;
    (void)e;
    stream_poll();
    turn = (typeof(turn)){.ends_ns = clock_now_ns() + TICK_NS, .requests = TICK_REQUESTS, .bytes = TICK_READ_BYTES};
    run();
    return EVENT_HANDLED;
}

/* From the first request on there are ticks: they end what waits too long, and write what did not fit. */
void control_look(void)
{
    if (!room)
        return;
    (void)handle_tick(&tick, NULL);
    if ((line.active || out_bytes || reader.n) && !ticks)
        ticks = event_subscribe(&tick) == STATUS_OK;
}

void control_init(void)
{
    paddr_t p;
    stream_poll();
    if (!stream_is_expected(STREAM_CONTROL))
        return;
    if (page_alloc((sizeof(*room) + PAGE_SIZE - 1) / PAGE_SIZE, PAGE_SIZE, &p) != STATUS_OK) {
        log_warn("control: no memory for the port");
        return;
    }
    room = phys_to_virt(p);
    ticks = !stream_is_announced();
    panic_if(ticks && event_subscribe_at_boot(0, &tick) != STATUS_OK);
    log_info("control: the host may ask");
}
