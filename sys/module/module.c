/* SPDX-License-Identifier: MIT
 * The modules that there are, and what all of them have in common: the choice of a request, and `help`. */
#include "sys/module/module.h"

#include "sys/lib/log.h"
#include "sys/lib/string.h"
#include "sys/machine.h"

struct kernel_module {
    const char *name;
    const struct module_request *requests;
    struct router_module router;
};

/* Their ids are their places. */
static struct kernel_module modules[] = {
    {.name = "scheduler", .requests = scheduler_requests},
    {.name = "memory", .requests = memory_requests},
    {.name = "clock", .requests = clock_requests},
    {.name = "channels", .requests = channels_requests},
    {.name = "bus", .requests = bus_requests},
    {.name = "syscalls", .requests = syscalls_requests},
    {.name = "perf", .requests = perf_requests},
    {.name = "cpu", .requests = cpu_requests},
    {.name = "power", .requests = power_requests},
};

#define MODULES (sizeof(modules) / sizeof(modules[0]))
_Static_assert(MODULES <= MODULES_OF_KERNEL, "ids");

static void put(void *context, const char *bytes, size_t n)
{
    router_write(context, "%.*s", (int)n, bytes);
}

struct router_module *module_of(const struct router_message *m)
{
    return &modules[m->module].router;
}

struct json module_json(struct router_message *m)
{
    return (struct json){.put = put, .context = m};
}

static enum status help(const struct kernel_module *k, struct json *j)
{
    json_open(j, NULL, '{');
    json_open(j, "requests", '{');
    json_text(j, "help", "This list.");
    for (const struct module_request *r = k->requests; r->type; r++)
        json_text(j, r->type, r->help);
    json_close(j, '}');
    json_close(j, '}');
    return STATUS_OK;
}

static enum status handle(struct router_module *module, struct router_message *m)
{
    const struct kernel_module *k = module->context;
    struct json j = module_json(m);
    if (strcmp(m->type, "help") == 0)
        return help(k, &j);
    for (const struct module_request *r = k->requests; r->type; r++)
        if (strcmp(m->type, r->type) == 0)
            return r->run(m, &j);
    return module_refuse(m, STATUS_UNIMPLEMENTED, "the module has no such request; `help` lists them");
}

void modules_register(void)
{
    for (uint32_t i = 0; i < MODULES; i++) {
        struct kernel_module *k = &modules[i];
        k->router = (struct router_module){.name = k->name, .id = i, .handle = handle, .context = k};
        enum status s = router_register(&k->router);
        if (s != STATUS_OK)
            log_warn("module %s: not registered, status %d", k->name, (int)s);
    }
}

void module_write_cpus(struct router_message *m, struct json *j, const char *name, size_t bytes,
                       void (*write)(struct json *j, uint32_t cpu, const void *context), const void *context)
{
    uint32_t cpu;
    json_open(j, name, '[');
    for (cpu = 0; cpu < machine.cpus_started && module_has_room(m, bytes); cpu++) {
        json_open(j, NULL, '{');
        json_number(j, "cpu", cpu);
        write(j, cpu, context);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_bool(j, "cut", cpu < machine.cpus_started);
}

enum status module_done(struct json *j)
{
    json_open(j, NULL, '{');
    json_close(j, '}');
    return STATUS_OK;
}

struct module_word module_word(const char **text, size_t *n)
{
    while (*n && **text == ' ') {
        (*text)++;
        (*n)--;
    }
    struct module_word w = {.text = *text};
    while (w.n < *n && w.text[w.n] != ' ')
        w.n++;
    *text += w.n;
    *n -= w.n;
    return w;
}

bool module_number(struct module_word w, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < w.n; i++) {
        uint64_t digit = (uint64_t)w.text[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return w.n > 0;
}

enum status module_refuse(struct router_message *m, enum status s, const char *why)
{
    router_write(m, "%s", why);
    return s;
}
