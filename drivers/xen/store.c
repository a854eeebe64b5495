/* SPDX-License-Identifier: MIT
 * Requests and their answers, watch events, and the conversation about a shutdown. The last takes four requests, each
 * sent when the answer to the one before has come, so that nothing waits while the machine runs:
 *   TRANSACTION_START -> READ control/shutdown -> WRITE "" to acknowledge -> TRANSACTION_END T
 * A request that is not ours to obey is not acknowledged, and then, or if there is none, the transaction ends with F.
 * If somebody else wrote meanwhile the end says EAGAIN, and all begins anew, a bounded number of times. */
#include "drivers/xen/store.h"

#include <arch/cpu.h>
#include "drivers/xen/store_wire.h"
#include "sys/lib/log.h"
#include "sys/lib/string.h"

/* What a full ring holds: what comes later comes with an event of its own. */
#define MESSAGES_PER_POLL (XENSTORE_RING_SIZE / sizeof(struct xsd_sockmsg))
#define RETRIES_MAX 8u
#define SHUTDOWN_PATH "control/shutdown"
#define SHUTDOWN_TOKEN "tern"

enum request_owner { NOBODY, CALLER, SHUTDOWN };
enum shutdown_step { IDLE, START, READ, ACKNOWLEDGE, COMMIT, DROP };

/* The one request: free, or sent and waiting for its answer. */
struct request {
    enum request_owner owner;
    uint32_t type, id;
    bool answered;
    enum status status; /* with answered: what came of it */
};

struct shutdown {
    void (*requested)(enum xen_shutdown_request);
    enum shutdown_step step; /* to be sent, or sent */
    bool sent;
    bool again; /* the key changed meanwhile */
    bool found; /* `kind` was read from the store */
    bool ready; /* `kind` is to be told */
    uint32_t transaction;
    uint32_t retries;
    enum xen_shutdown_request kind;
};

static struct store_wire wire;
static struct request request;
static struct shutdown shutdown;
static uint32_t last_id;
static bool fault_logged;
static struct xen_store_stats stats;

/* Names of errors as the protocol has them. */
static const struct {
    const char *name;
    enum status status;
} errors[] = {
    {"ENOENT", STATUS_NOT_FOUND},          {"EACCES", STATUS_PERMISSION_DENIED},
    {"EPERM", STATUS_PERMISSION_DENIED},   {"EAGAIN", STATUS_ABORTED},
    {"EINVAL", STATUS_INVALID_ARGUMENT},   {"EISDIR", STATUS_INVALID_ARGUMENT},
    {"EEXIST", STATUS_ALREADY_EXISTS},     {"ENOSYS", STATUS_UNIMPLEMENTED},
    {"ENOMEM", STATUS_RESOURCE_EXHAUSTED}, {"ENOSPC", STATUS_RESOURCE_EXHAUSTED},
    {"E2BIG", STATUS_RESOURCE_EXHAUSTED},  {"EBUSY", STATUS_FAILED_PRECONDITION},
    {"EROFS", STATUS_PERMISSION_DENIED},   {"ENOTEMPTY", STATUS_FAILED_PRECONDITION},
};

static const struct {
    const char *name;
    enum xen_shutdown_request kind;
} kinds[] = {
    {"poweroff", XEN_SHUTDOWN_POWEROFF},
    {"reboot", XEN_SHUTDOWN_REBOOT},
    {"halt", XEN_SHUTDOWN_HALT},
    {"suspend", XEN_SHUTDOWN_SUSPEND},
};

static bool is_obeyed(enum xen_shutdown_request kind)
{
    return kind == XEN_SHUTDOWN_POWEROFF || kind == XEN_SHUTDOWN_REBOOT || kind == XEN_SHUTDOWN_HALT;
}

/* Length of the text that begins at `at` of the payload, which a NUL must end; false if none does. */
static bool text_at(uint32_t at, uint32_t *length)
{
    for (uint32_t end = at; end < wire.head.len && end < STORE_KEPT_MAX; end++) {
        if (wire.payload[end])
            continue;
        *length = end - at;
        return true;
    }
    return false;
}

static enum status error_status(void)
{
    uint32_t n;
    if (!text_at(0, &n))
        return STATUS_DATA_LOSS;
    for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
        if (bytes_are(wire.payload, n, errors[i].name))
            return errors[i].status;
    return STATUS_UNKNOWN;
}

/* Sends "first NUL second", with a NUL behind the second if it is a text of its own. */
static enum status request_send(enum request_owner owner, struct xsd_sockmsg head, const char *first,
                                const char *second, bool ends_with_nul)
{
    char payload[STORE_REQUEST_MAX];
    size_t first_bytes = strlen(first) + 1, second_bytes = second ? strlen(second) + ends_with_nul : 0;
    if (first_bytes > XEN_STORE_PATH_MAX + 1 || second_bytes > sizeof(payload) - first_bytes)
        return STATUS_INVALID_ARGUMENT;
    if (request.owner != NOBODY)
        return STATUS_UNAVAILABLE;
    memcpy(payload, first, first_bytes);
    if (second_bytes)
        memcpy(payload + first_bytes, second, second_bytes);
    head.len = (uint32_t)(first_bytes + second_bytes);
    head.req_id = last_id + 1 ? last_id + 1 : 1; /* 0 is for watch events */
    enum status s = store_wire_send(&wire, &head, payload);
    if (s != STATUS_OK)
        return s;
    last_id = head.req_id;
    request = (struct request){.owner = owner, .type = head.type, .id = head.req_id};
    stats.requests++;
    return STATUS_OK;
}

static void shutdown_begin(void)
{
    if (shutdown.step != IDLE) {
        shutdown.again = true;
        return;
    }
    shutdown.step = START;
    shutdown.sent = shutdown.found = shutdown.again = false;
}

/* Path and token; both must be those of our watch. */
static void event_take(void)
{
    uint32_t path, token;
    stats.events++;
    if (shutdown.requested && text_at(0, &path) && text_at(path + 1, &token) &&
        bytes_are(wire.payload, path, SHUTDOWN_PATH) && bytes_are(wire.payload + path + 1, token, SHUTDOWN_TOKEN))
        shutdown_begin();
    else
        stats.refused++;
}

/* Decimal, as texts go over the wire; 0 is no transaction. */
static bool transaction_parse(uint32_t *out)
{
    uint32_t n;
    uint64_t value = 0;
    if (!text_at(0, &n))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (wire.payload[i] < '0' || wire.payload[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(wire.payload[i] - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *out = (uint32_t)value;
    return value != 0;
}

static void shutdown_end(void)
{
    shutdown.step = IDLE;
    shutdown.retries = 0;
    shutdown.ready = shutdown.ready || shutdown.found;
    if (shutdown.again)
        shutdown_begin();
}

static void shutdown_give_up(const char *what)
{
    log_warn("xenstore: %s; a request to shut down may have been missed", what);
    shutdown.found = false;
    shutdown_end();
}

static void refusal_log(void)
{
    char text[33];
    size_t n = wire.head.len < sizeof(text) - 1 ? wire.head.len : sizeof(text) - 1;
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(wire.payload[i] >= ' ' && wire.payload[i] <= '~' ? wire.payload[i] : '?');
    text[n] = '\0';
    log_warn("xenstore: " SHUTDOWN_PATH " asks for \"%s\", which this guest does not do: not acknowledged", text);
}

static enum xen_shutdown_request kind_read(void)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (bytes_are(wire.payload, wire.head.len, kinds[i].name))
            return kinds[i].kind;
    return XEN_SHUTDOWN_UNKNOWN;
}

/* The key's value is there, or why it is not. */
static void shutdown_take_value(enum status s)
{
    shutdown.step = DROP;
    if (s != STATUS_OK && s != STATUS_OUT_OF_RANGE && s != STATUS_NOT_FOUND)
        log_warn("xenstore: " SHUTDOWN_PATH " cannot be read (status %d)", s);
    shutdown.found = s == STATUS_OUT_OF_RANGE || (s == STATUS_OK && wire.head.len);
    if (!shutdown.found)
        return;
    shutdown.kind = s == STATUS_OK ? kind_read() : XEN_SHUTDOWN_UNKNOWN;
    if (is_obeyed(shutdown.kind))
        shutdown.step = ACKNOWLEDGE;
    else
        refusal_log();
}

/* Whoever asked is obeyed, even if he cannot be told. */
static void shutdown_take_commit(enum status s)
{
    if (s == STATUS_ABORTED && shutdown.retries < RETRIES_MAX) {
        shutdown.retries++;
        stats.retries++;
        shutdown.found = false;
        shutdown.step = START;
        return;
    }
    if (s != STATUS_OK)
        log_warn("xenstore: a request to shut down could not be acknowledged (status %d)", s);
    shutdown_end();
}

/* The answer to the step under way; what is next is sent by shutdown_advance. */
static void shutdown_continue(enum status s)
{
    shutdown.sent = false;
    switch (shutdown.step) {
    case START:
        shutdown.step = READ;
        if (s != STATUS_OK || !transaction_parse(&shutdown.transaction))
            shutdown_give_up("no transaction could be started");
        break;
    case READ:
        shutdown_take_value(s);
        break;
    case ACKNOWLEDGE:
        shutdown.step = s == STATUS_OK ? COMMIT : DROP;
        if (s != STATUS_OK)
            log_warn("xenstore: " SHUTDOWN_PATH " cannot be written (status %d)", s);
        break;
    case COMMIT:
        shutdown_take_commit(s);
        break;
    case DROP:
        shutdown_end();
        break;
    case IDLE:
        break;
    }
}

static enum status shutdown_send(void)
{
    uint32_t t = shutdown.transaction;
    switch (shutdown.step) {
    case START:
        return request_send(SHUTDOWN, (struct xsd_sockmsg){.type = XS_TRANSACTION_START}, "", NULL, false);
    case READ:
        return request_send(SHUTDOWN, (struct xsd_sockmsg){.type = XS_READ, .tx_id = t}, SHUTDOWN_PATH, NULL, false);
    case ACKNOWLEDGE:
        return request_send(SHUTDOWN, (struct xsd_sockmsg){.type = XS_WRITE, .tx_id = t}, SHUTDOWN_PATH, "", false);
    case COMMIT:
    case DROP:
        return request_send(SHUTDOWN, (struct xsd_sockmsg){.type = XS_TRANSACTION_END, .tx_id = t},
                            shutdown.step == COMMIT ? "T" : "F", NULL, false);
    case IDLE:
        break;
    }
    return STATUS_UNAVAILABLE;
}

/* Sends the step that waits for being sent; if there is no room, or a caller's request is under way, later. */
static void shutdown_advance(void)
{
    if (shutdown.step != IDLE && !shutdown.sent)
        shutdown.sent = shutdown_send() == STATUS_OK;
}

/* What the answer in hand says. Its number is the request's. */
static enum status answer_status(void)
{
    if (wire.head.type == XS_ERROR)
        return error_status();
    if (wire.head.type != request.type)
        return STATUS_DATA_LOSS;
    return wire.head.len > STORE_KEPT_MAX ? STATUS_OUT_OF_RANGE : STATUS_OK;
}

static void message_take(void)
{
    if (wire.head.type == XS_WATCH_EVENT) {
        event_take();
        return;
    }
    if (request.owner == NOBODY || request.answered || wire.head.req_id != request.id) {
        stats.refused++;
        return;
    }
    stats.answers++;
    enum status s = answer_status();
    stats.refused += s == STATUS_DATA_LOSS || wire.head.len > STORE_KEPT_MAX;
    if (request.owner == CALLER) {
        request.answered = true;
        request.status = s;
        return;
    }
    request.owner = NOBODY;
    shutdown_continue(s);
}

static void fault_log(void)
{
    if (!wire.fault || fault_logged)
        return;
    fault_logged = true;
    log_warn("xenstore: given up: %s", wire.fault);
}

/* Takes messages until a caller has his answer: it lies in the wire until the next one is taken. */
static void messages_take(void)
{
    for (size_t n = 0; n < MESSAGES_PER_POLL && !request.answered && store_wire_receive(&wire); n++) {
        message_take();
        shutdown_advance();
    }
    shutdown_advance();
    fault_log();
}

/* Sends a caller's request and waits for the answer, whose payload is then in the wire. */
static enum status request_do(uint32_t type, const char *first, const char *second, bool ends_with_nul, uint64_t spins)
{
    enum status sent = STATUS_UNAVAILABLE;
    for (uint64_t i = 0; i < spins; i++) {
        if (sent == STATUS_UNAVAILABLE)
            sent = request_send(CALLER, (struct xsd_sockmsg){.type = type}, first, second, ends_with_nul);
        if (sent != STATUS_OK && sent != STATUS_UNAVAILABLE)
            return sent;
        messages_take();
        if (wire.fault)
            break;
        if (request.answered) {
            request.answered = false;
            request.owner = NOBODY;
            return request.status;
        }
        cpu_pause();
    }
    if (sent == STATUS_OK)
        request.owner = NOBODY; /* a late answer has a number that nobody waits for */
    stats.timeouts += sent == STATUS_OK && !wire.fault;
    return wire.fault ? STATUS_DATA_LOSS : sent == STATUS_OK ? STATUS_DEADLINE_EXCEEDED : STATUS_UNAVAILABLE;
}

enum status xen_store_init(struct xenstore_domain_interface *page, uint32_t port, void (*notify)(uint32_t port))
{
    store_wire_begin(&wire, page, port, notify);
    request = (struct request){0};
    shutdown = (struct shutdown){0};
    stats = (struct xen_store_stats){0};
    fault_logged = false;
    bool ready = store_wire_ready(&wire);
    fault_log();
    return ready ? STATUS_OK : wire.fault ? STATUS_DATA_LOSS : STATUS_UNAVAILABLE;
}

enum status xen_store_read(const char *path, char *buf, size_t n, uint64_t spins)
{
    if (n == 0)
        return STATUS_INVALID_ARGUMENT;
    enum status s = request_do(XS_READ, path, NULL, false, spins);
    if (s != STATUS_OK)
        return s;
    if (wire.head.len >= n)
        return STATUS_OUT_OF_RANGE;
    memcpy(buf, wire.payload, wire.head.len);
    buf[wire.head.len] = '\0';
    return STATUS_OK;
}

enum status xen_store_write(const char *path, const char *value, uint64_t spins)
{
    return request_do(XS_WRITE, path, value, false, spins);
}

enum status xen_store_watch_shutdown(void (*requested)(enum xen_shutdown_request), uint64_t spins)
{
    static const char *const features[] = {"control/feature-poweroff", "control/feature-reboot"};
    if (shutdown.requested)
        return STATUS_FAILED_PRECONDITION;
    for (size_t i = 0; i < sizeof(features) / sizeof(*features); i++) {
        enum status s = xen_store_write(features[i], "1", spins);
        if (s != STATUS_OK)
            log_warn("xenstore: %s cannot be written (status %d)", features[i], s);
    }
    shutdown.requested = requested; /* the first event may come before the answer */
    enum status s = request_do(XS_WATCH, SHUTDOWN_PATH, SHUTDOWN_TOKEN, true, spins);
    if (s != STATUS_OK)
        shutdown = (struct shutdown){0};
    return s;
}

void xen_store_poll(void)
{
    messages_take();
    if (!shutdown.ready)
        return;
    shutdown.ready = false;
    shutdown.requested(shutdown.kind);
}

void xen_store_stats_read(struct xen_store_stats *out)
{
    *out = stats;
    out->fault = wire.fault;
}
