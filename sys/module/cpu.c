/* SPDX-License-Identifier: MIT
 * CPUs on line and off line. A change is another CPU's to make, so its request is answered when that CPU has. */
#include "sys/hotplug.h"
#include "sys/machine.h"
#include "sys/module/module.h"

#include <arch/percpu.h>

#define CPU_ROW_BYTES 64

static void write_cpu(struct json *j, uint32_t cpu, const void *context)
{
    (void)context;
    json_bool(j, "online", hotplug_is_online(cpu));
    json_number(j, "apic_id", cpu_ptr(cpu, percpu_head)->apic_id); /* remote look: fixed */
}

static enum status get_stats(struct router_message *m, struct json *j)
{
    json_open(j, NULL, '{');
    json_number(j, "started", machine.cpus_started);
    json_number(j, "found", machine.cpus_found);
    json_text(j, "found_by", machine.cpu_source);
    module_write_cpus(m, j, "cpus", CPU_ROW_BYTES, write_cpu, NULL);
    json_close(j, '}');
    return STATUS_OK;
}

static const char *reason(enum status s)
{
    switch (s) {
    case STATUS_ALREADY_EXISTS:
        return "it is so already";
    case STATUS_FAILED_PRECONDITION:
        return "a process has its home there and runs, or may";
    case STATUS_OUT_OF_RANGE:
        return "there is no such CPU";
    case STATUS_PERMISSION_DENIED:
        return "CPU 0 has the consoles and stays";
    default:
        return "";
    }
}

/* The request whose answer is due is the one that the module has put off. */
static void changed(void *context, enum status s)
{
    struct router_module *module = context;
    struct router_message *m = module->serving;
    if (m && s == STATUS_OK) {
        struct json j = module_json(m);
        (void)module_done(&j);
    } else if (m) {
        router_write(m, "%s", reason(s));
    }
    router_answer(module, s);
}

static enum status change(struct router_message *m, bool online)
{
    const char *text = m->payload;
    size_t n = m->payload_bytes;
    uint64_t cpu;
    if (!module_number(module_word(&text, &n), &cpu))
        return module_refuse(m, STATUS_INVALID_ARGUMENT, "online NUMBER, offline NUMBER");
    if (!m->posted)
        return module_refuse(m, STATUS_UNIMPLEMENTED, "the answer comes later, so the request must be posted");
    uint32_t number = cpu < UINT32_MAX ? (uint32_t)cpu : UINT32_MAX;
    enum status s = hotplug_request(number, online, changed, module_of(m));
    return s == STATUS_OK ? ROUTER_LATER : module_refuse(m, s, reason(s));
}

static enum status offline(struct router_message *m, struct json *j)
{
    (void)j;
    return change(m, false);
}

static enum status online(struct router_message *m, struct json *j)
{
    (void)j;
    return change(m, true);
}

const struct module_request cpu_requests[] = {
    {"get_stats", "Each CPU: on line or not, and its APIC id.", get_stats},
    {"offline", "NUMBER: it halts whenever it has nothing to do, and no process starts there.", offline},
    {"online", "NUMBER: as before.", online},
    {0}};
