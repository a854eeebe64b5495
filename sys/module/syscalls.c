/* SPDX-License-Identifier: MIT
 * System calls: which there are, how often they were made, and the hooks around them. */
#include "sys/lib/string.h"
#include "sys/module/module.h"
#include "sys/syscall/audit.h"
#include "sys/syscall/extension.h"
#include "sys/syscall/hooks.h"
#include "sys/syscall/latency.h"
#include "sys/syscall/lockdown.h"

#define CALL_ROW_BYTES 120 /* names are the kernel's own */

static const char *state_name(const struct syscall_hook *h)
{
    static const char *const names[] = {
        [HOOK_OFF] = "off", [HOOK_STARTING] = "starting", [HOOK_ON] = "on", [HOOK_STOPPING] = "stopping"};
    return names[hook_state(h)];
}

static void write_hooks(struct json *j)
{
    const struct syscall_hook *const hooks[] = {&audit_hook, &latency_hook, &lockdown_hook};
    json_open(j, "hooks", '{');
    for (size_t i = 0; i < sizeof(hooks) / sizeof(hooks[0]); i++)
        json_text(j, hooks[i]->name, state_name(hooks[i]));
    json_close(j, '}');
}

static void write_call(struct json *j, uint32_t number)
{
    const char *name = syscall_name(number);
    json_open(j, NULL, '{');
    json_number(j, "number", number);
    json_text(j, "name", name ? name : "");
    json_number(j, "calls", syscall_calls(number));
    json_close(j, '}');
}

/* Those that were made, and those registered at run time. */
static bool is_told(uint32_t number)
{
    return syscall_calls(number) || (number >= SYSCALL_BUILT_IN && syscall_name(number));
}

static enum status get_stats(struct router_message *m, struct json *j)
{
    uint64_t calls = 0;
    uint32_t registered = 0, number;
    for (number = 0; number < SYSCALL_MAX; number++) {
        calls += syscall_calls(number);
        registered += number >= SYSCALL_BUILT_IN && syscall_name(number);
    }
    json_open(j, NULL, '{');
    json_number(j, "built_in", SYSCALL_BUILT_IN);
    json_number(j, "registered", registered);
    json_number(j, "made", calls);
    write_hooks(j);
    json_open(j, "calls", '[');
    for (number = 0; number < SYSCALL_MAX && module_has_room(m, CALL_ROW_BYTES); number++)
        if (is_told(number))
            write_call(j, number);
    json_close(j, ']');
    json_bool(j, "cut", number < SYSCALL_MAX);
    json_close(j, '}');
    return STATUS_OK;
}

static enum status hook(struct router_message *m, struct json *j)
{
    const char *text = m->payload;
    size_t n = m->payload_bytes;
    struct module_word name = module_word(&text, &n), way = module_word(&text, &n);
    bool on = bytes_are(way.text, way.n, "on");
    if (!on && !bytes_are(way.text, way.n, "off"))
        return module_refuse(m, STATUS_INVALID_ARGUMENT, "hook NAME on|off");
    enum status s = hooks_switch(name.text, name.n, on);
    if (s == STATUS_NOT_FOUND)
        return module_refuse(m, s, "there are audit, latency and lockdown");
    if (s != STATUS_OK && s != STATUS_UNAVAILABLE) /* which says that it is changing */
        return s;
    json_open(j, NULL, '{');
    write_hooks(j);
    json_close(j, '}');
    return STATUS_OK;
}

const struct module_request syscalls_requests[] = {
    {"get_stats", "Calls that were made, by number; numbers registered at run time; hooks.", get_stats},
    {"hook", "NAME on|off: switches audit, latency or lockdown on all CPUs; get_stats says when it has happened.",
     hook},
    {0}};
