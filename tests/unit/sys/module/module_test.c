/* SPDX-License-Identifier: MIT
 * The kernel's modules in a machine that is as large as can be, with names that are as long as can be once they are
 * escaped: every answer is JSON and fits, cut or not. And what requests with a payload do. */
#include "sys/module/module.h"
#include "sys/shutdown.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ipc/endpoint.h"
#include "ipc/event_bus.h"
#include "mm/page.h"
#include "perf/hist.h"
#include "sched/inbox.h"
#include "sys/histogram_object.h"
#include "sys/hotplug.h"
#include "sys/load.h"
#include "sys/machine.h"
#include "sys/syscall/audit.h"
#include "sys/syscall/extension.h"
#include "sys/syscall/hooks.h"
#include "sys/syscall/latency.h"
#include "sys/syscall/lockdown.h"

#include <arch/clock.h>
#include <arch/platform.h>

enum { CPUS = 64, ANSWER_BYTES = 4096, PROCESSES = 8, OBJECTS = 12 };

#define WORST_NAME                                                                                                     \
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" \
    "\xff\xff\xff"

struct machine machine = {.cpu_source = "MADT", .cpus_found = CPUS, .tsc_skew_ns = UINT64_MAX};
struct clock clock_state = {.tsc_khz = UINT64_MAX, .source = "HPET"};
struct inbox inbox;
struct percpu_head percpu_head;
struct syscall_hook audit_hook = {.name = "audit"}, latency_hook = {.name = "latency"},
                    lockdown_hook = {.name = "lockdown"};

static const char *name = WORST_NAME;
static struct process processes[PROCESSES];
static struct thread threads[PROCESSES];
static struct object *objects[OBJECTS];
static struct endpoint ends[2];
static struct histogram_object histograms[OBJECTS - 2];
static struct router_module *registered[MODULES_OF_KERNEL];
static char answer[ANSWER_BYTES];
static struct router_message message;
static uint64_t held, asked_cpu;
static bool paused;
static char published[64];
static uint32_t modules_there;
static const char *module_name;
static void (*hotplug_done)(void *context, enum status outcome);
static void *hotplug_context;
static enum status hotplug_says, answered;

uint64_t clock_now_ns(void)
{
    return UINT64_MAX;
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return ticks / 2;
}

const struct process *load_processes(uint32_t *count)
{
    *count = PROCESSES;
    return processes;
}

const char *load_object_name(const struct object *o)
{
    (void)o;
    return name;
}

uint64_t page_total_bytes(void)
{
    return 1000;
}

uint64_t page_free_bytes(void)
{
    return 500;
}

uint64_t page_held_bytes(void)
{
    return held;
}

uint64_t page_lost_bytes(void)
{
    return 0;
}

enum page_level page_level(void)
{
    return held > 400 ? PAGE_CRITICAL : PAGE_PLENTY;
}

enum status page_hold(uint64_t bytes)
{
    if (bytes > 500)
        return STATUS_OUT_OF_RANGE;
    held = bytes;
    return STATUS_OK;
}

void event_bus_counts(uint32_t cpu, struct event_counts *counts)
{
    cr_assert(lt(u32, cpu, CPUS));
    memset(counts, 0xff, sizeof(*counts));
    counts->published[EVENT_CUSTOM] = cpu;
}

uint32_t event_bus_subscriptions(uint32_t cpu)
{
    (void)cpu;
    return UINT32_MAX;
}

const char *event_kind_name(enum event_kind kind)
{
    return kind == EVENT_CUSTOM ? "custom" : "memory_pressure";
}

void event_bus_pause(bool on)
{
    paused = on;
}

enum status event_publish_custom(const char *event_name, const void *data, size_t bytes)
{
    if (bytes > EVENT_DATA_BYTES)
        return STATUS_INVALID_ARGUMENT;
    snprintf(published, sizeof(published), "%s=%.*s", event_name, (int)bytes, (const char *)data);
    return STATUS_OK;
}

const char *router_module_name(uint32_t id)
{
    cr_assert(lt(u32, id, ROUTER_MODULES_MAX));
    return id < modules_there ? module_name : NULL;
}

enum status router_counts_of(uint32_t id, struct router_counts *counts)
{
    cr_assert(lt(u32, id, modules_there));
    memset(counts, 0xff, sizeof(*counts));
    counts->received = id == 0 ? 0 : counts->received;
    counts->ticks_most = 3000;
    return STATUS_OK;
}

uint64_t router_messages_sent(void)
{
    return UINT64_MAX;
}

uint64_t syscall_calls(uint32_t number)
{
    cr_assert(lt(u32, number, SYSCALL_MAX));
    return UINT64_MAX / 600;
}

const char *syscall_name(uint32_t number)
{
    return number < 300 ? "channel_respond_and_wait_careful" : NULL;
}

enum hook_state hook_state(const struct syscall_hook *h)
{
    return (enum hook_state)h->state;
}

enum status hooks_switch(const char *hook, size_t n, bool on)
{
    if (n != 5 || memcmp(hook, "audit", n) != 0)
        return STATUS_NOT_FOUND;
    audit_hook.state = on ? HOOK_STARTING : HOOK_STOPPING;
    return STATUS_UNAVAILABLE;
}

bool hotplug_is_online(uint32_t cpu)
{
    return cpu % 2;
}

void shutdown_soon(uint64_t grace_ns)
{
    (void)grace_ns;
}

bool shutdown_is_near(void)
{
    return false;
}

struct platform platform = {.timer_name = "a timer", .wake_name = "a wake"};

enum status hotplug_request(uint32_t cpu, bool online, void (*done)(void *context, enum status outcome), void *context)
{
    asked_cpu = online ? cpu : cpu + 1000;
    hotplug_done = done;
    hotplug_context = context;
    return hotplug_says;
}

enum status router_register(struct router_module *module)
{
    cr_assert(zero(ptr, registered[module->id]));
    registered[module->id] = module;
    return STATUS_OK;
}

void router_write(struct router_message *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t left = m->room - m->answer_bytes;
    size_t n = (size_t)vsnprintf(m->answer + m->answer_bytes, left, format, args);
    va_end(args);
    m->answer_cut |= n >= left;
    m->answer_bytes += n < left ? n : left - 1;
}

void router_answer(struct router_module *module, enum status outcome)
{
    cr_assert(eq(ptr, module->serving, &message));
    module->serving = NULL;
    answered = outcome;
}

/* Reads one value; NULL if it is none. */
static const char *value(const char *p);

static const char *string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    for (; *p != '"'; p++)
        if ((unsigned char)*p < ' ' || (*p == '\\' && !*++p))
            return NULL;
    return p + 1;
}

static const char *list(const char *p, char end, bool members)
{
    if (*++p == end)
        return p + 1;
    for (;; p++) {
        if (members && (!(p = string(p)) || *p++ != ':'))
            return NULL;
        if (!(p = value(p)))
            return NULL;
        if (*p == end)
            return p + 1;
        if (*p != ',')
            return NULL;
    }
}

static const char *value(const char *p)
{
    if (*p == '{' || *p == '[')
        return list(p, *p == '{' ? '}' : ']', *p == '{');
    if (*p == '"')
        return string(p);
    size_t n = strspn(p, "0123456789");
    n = n ? n : strncmp(p, "true", 4) == 0 ? 4 : strncmp(p, "false", 5) == 0 ? 5 : 0;
    return n ? p + n : NULL;
}

static struct router_module *module_named(const char *wanted)
{
    for (size_t i = 0; i < MODULES_OF_KERNEL; i++)
        if (registered[i] && strcmp(registered[i]->name, wanted) == 0)
            return registered[i];
    cr_fatal("there is no module %s", wanted);
}

static enum status ask(const char *module, const char *type, const char *payload)
{
    static char copy[ANSWER_BYTES];
    struct router_module *m = module_named(module);
    size_t n = strlen(payload);
    memcpy(copy + sizeof(copy) - n, payload, n); /* at its end, so that no look behind it passes */
    message = (struct router_message){.payload = copy + sizeof(copy) - n,
                                      .payload_bytes = n,
                                      .answer = answer,
                                      .room = ANSWER_BYTES,
                                      .module = m->id,
                                      .posted = true};
    answer[0] = '\0';
    memcpy(message.type, type, strlen(type));
    enum status s = m->handle(m, &message);
    cr_assert(not(message.answer_cut));
    if (s == ROUTER_LATER)
        m->serving = &message;
    if (s == STATUS_OK) {
        const char *end = value(answer);
        cr_assert(answer[0] == '{' && end && !*end, "%s %s: %s", module, type, answer);
    }
    return s;
}

static void ask_ok(const char *module, const char *type, const char *payload)
{
    cr_assert(eq(int, ask(module, type, payload), STATUS_OK), "%s %s %s: %s", module, type, payload, answer);
}

static void answer_has(const char *text)
{
    cr_assert(not(zero(ptr, strstr(answer, text))), "%s lacks %s", answer, text);
}

static void ask_fails(const char *module, const char *type, const char *payload, enum status s, const char *text)
{
    cr_assert(eq(int, ask(module, type, payload), s), "%s %s %s", module, type, payload);
    answer_has(text);
}

static void fill(void)
{
    static _Alignas(64) unsigned char storage[HISTOGRAM_BYTES];
    struct histogram *h = (struct histogram *)storage;
    hist_init(h);
    hist_record(h, 1);
    hist_record(h, HISTOGRAM_HIGHEST);
    h->overflow = UINT64_MAX;
    for (size_t i = 0; i < OBJECTS - 2; i++) {
        histograms[i].object = (struct object){.type = IMAGE_OBJECT_HISTOGRAM, .process = &processes[0]};
        histograms[i].histogram = h;
        objects[i + 2] = &histograms[i].object;
    }
    ends[0].object = (struct object){.type = IMAGE_OBJECT_CHANNEL_INITIATOR};
    ends[1].object = (struct object){.type = IMAGE_OBJECT_CHANNEL_HANDLER, .signals = SIGNAL_READABLE};
    ends[0].caller = &threads[1];
    objects[0] = &ends[0].object;
    objects[1] = &ends[1].object;
    for (uint32_t i = 0; i < PROCESSES; i++) {
        processes[i] = (struct process){
            .name = name, .threads = &threads[i], .thread_count = 1, .objects = objects, .object_count = OBJECTS};
        threads[i] = (struct thread){.name = name, .process = &processes[i], .waiter.state = i};
    }
    processes[0].cpu = 1;
    threads[0].waiter.state = THREAD_READY;
}

static void begin(void)
{
    machine.cpus_started = CPUS;
    percpu_head.current = &threads[0];
    percpu_head.apic_id = UINT32_MAX;
    inbox.level = INBOX_HALTED;
    fill();
    modules_register();
}

TestSuite(module, .init = begin, .timeout = 20);

Test(module, every_answer_is_json_and_fits_the_largest_machine)
{
    unsigned modules = 0, cut = 0;
    for (size_t i = 0; i < MODULES_OF_KERNEL; i++) {
        if (!registered[i])
            continue;
        modules++;
        ask_ok(registered[i]->name, "help", "");
        answer_has("{\"requests\":{\"help\":\"");
        answer_has("\"get_stats\":\"");
        ask_ok(registered[i]->name, "get_stats", "");
        cut += strstr(answer, "\"cut\":true") != NULL;
    }
    cr_assert(eq(u32, modules, 9));
    cr_assert(eq(u32, cut, 5), "scheduler, channels, bus, syscalls, perf");
}

Test(module, small_machines_are_told_whole)
{
    machine.cpus_started = 2;
    name = "short";
    fill();
    ask_ok("scheduler", "get_stats", "");
    answer_has("\"cut\":false");
    answer_has("{\"cpu\":1,\"level\":\"halted\",\"ready\":1,\"process\":\"short\",\"thread\":\"short\"}]");
    ask_ok("channels", "get_stats", "");
    answer_has("\"cut\":false");
}

Test(module, what_there_is_not)
{
    ask_fails("clock", "nonsense", "", STATUS_UNIMPLEMENTED, "no such request");
    ask_fails("clock", "", "", STATUS_UNIMPLEMENTED, "no such request");
}

Test(module, scheduler_and_channels)
{
    ask_ok("scheduler", "get_stats", "");
    answer_has("\"threads\":{\"running\":0,\"ready\":2,\"stopped\":1,\"wait_signals\":1,");
    answer_has("{\"cpu\":0,\"level\":\"halted\",\"ready\":1,");
    inbox.level = 12;
    percpu_head.current = NULL;
    ask_ok("scheduler", "get_stats", "");
    answer_has("{\"cpu\":0,\"level\":\"12\",\"ready\":1,\"process\":\"\",\"thread\":\"\"}");
    ask_ok("channels", "get_stats", "");
    answer_has("{\"transactions\":8,\"initiators\":8,\"held_back\":0,\"handlers\":8,\"requests_unread\":8,");
}

Test(module, memory)
{
    ask_ok("memory", "reserve", "450");
    answer_has("\"held_bytes\":450,");
    answer_has("\"level\":\"critical\"");
    ask_fails("memory", "reserve", "501", STATUS_OUT_OF_RANGE, "not as much");
    ask_fails("memory", "reserve", "18446744073709551616", STATUS_INVALID_ARGUMENT, "BYTES");
    ask_fails("memory", "reserve", "18446744073709551620", STATUS_INVALID_ARGUMENT, "BYTES"); /* 4 if it wrapped */
    ask_fails("memory", "reserve", "-1", STATUS_INVALID_ARGUMENT, "BYTES");
    ask_fails("memory", "reserve", "", STATUS_INVALID_ARGUMENT, "BYTES");
    ask_fails("memory", "reserve", "1k", STATUS_INVALID_ARGUMENT, "BYTES");
    cr_assert(eq(u64, held, 450));
    ask_ok("memory", "release", "");
    cr_assert(eq(u64, held, 0));
}

Test(module, bus)
{
    ask_ok("bus", "get_stats", "");
    answer_has("{\"kind\":\"custom\",\"published\":2016,");
    ask_ok("bus", "cpu", " 63 ");
    answer_has("{\"kind\":\"custom\",\"published\":63,");
    ask_fails("bus", "cpu", "64", STATUS_INVALID_ARGUMENT, "NUMBER");
    ask_ok("bus", "publish", "hello");
    cr_assert(eq(str, published, "hello="));
    ask_ok("bus", "publish", "hello  to you");
    cr_assert(eq(str, published, "hello= to you"));
    ask_fails("bus", "publish", "", STATUS_INVALID_ARGUMENT, "NAME");
    ask_fails("bus", "publish", "01234567890123456789012345678901 x", STATUS_INVALID_ARGUMENT, "NAME");
    ask_fails("bus", "publish", "hello 0123456789012345678901234", STATUS_INVALID_ARGUMENT, "24 bytes");
    ask_ok("bus", "pause", "");
    cr_assert(paused);
    ask_ok("bus", "resume", "");
    cr_assert(not(paused));
}

/* A name is printable: bytes of it are escaped as two at most. */
Test(module, counts_of_modules)
{
    modules_there = 2;
    module_name = "short";
    ask_ok("bus", "modules", "");
    answer_has("{\"modules\":[{\"name\":\"short\",\"served\":0,\"ok\":18446744073709551615,");
    answer_has("\"mean_ns\":0,\"most_ns\":1500},{\"name\":\"short\",\"served\":18446744073709551615,");
    answer_has("\"cut\":false");
    modules_there = ROUTER_MODULES_MAX;
    module_name = "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"";
    ask_ok("bus", "modules", "");
    answer_has("\"cut\":true");
}

Test(module, hooks)
{
    ask_ok("syscalls", "hook", "audit on");
    answer_has("{\"hooks\":{\"audit\":\"starting\",\"latency\":\"off\",\"lockdown\":\"off\"}}");
    ask_ok("syscalls", "hook", "audit off");
    answer_has("\"audit\":\"stopping\"");
    ask_fails("syscalls", "hook", "audi on", STATUS_NOT_FOUND, "audit");
    ask_fails("syscalls", "hook", "audit", STATUS_INVALID_ARGUMENT, "on|off");
    ask_fails("syscalls", "hook", "audit maybe", STATUS_INVALID_ARGUMENT, "on|off");
}

/* The answer comes from another CPU, later, or at once. */
Test(module, cpu)
{
    ask_ok("cpu", "get_stats", "");
    answer_has("{\"cpu\":0,\"online\":false,\"apic_id\":4294967295},{\"cpu\":1,\"online\":true,");
    cr_assert(eq(int, ask("cpu", "offline", "3"), ROUTER_LATER));
    cr_assert(eq(u64, asked_cpu, 1003));
    hotplug_done(hotplug_context, STATUS_OK);
    cr_assert(eq(int, answered, STATUS_OK));
    cr_assert(eq(str, answer, "{}"));
    cr_assert(eq(int, ask("cpu", "online", "5"), ROUTER_LATER));
    cr_assert(eq(u64, asked_cpu, 5));
    hotplug_done(hotplug_context, STATUS_FAILED_PRECONDITION);
    cr_assert(eq(int, answered, STATUS_FAILED_PRECONDITION));
    answer_has("a process has its home there");
    hotplug_says = STATUS_PERMISSION_DENIED;
    ask_fails("cpu", "offline", "0", STATUS_PERMISSION_DENIED, "CPU 0");
    ask_fails("cpu", "offline", "one", STATUS_INVALID_ARGUMENT, "NUMBER");
    hotplug_says = STATUS_OK;
    ask_fails("cpu", "offline", "4294967297", ROUTER_LATER, "");
    cr_assert(eq(u64, asked_cpu, (uint32_t)(UINT32_MAX + 1000u)), "no such CPU, instead of number 1");
}

Test(module, only_what_is_posted_can_be_answered_later)
{
    struct router_module *m = module_named("cpu");
    message = (struct router_message){
        .type = "offline", .payload = "1", .payload_bytes = 1, .answer = answer, .room = ANSWER_BYTES, .module = m->id};
    cr_assert(eq(int, m->handle(m, &message), STATUS_UNIMPLEMENTED));
    cr_assert(eq(u64, asked_cpu, 0));
}
