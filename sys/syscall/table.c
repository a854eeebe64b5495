/* SPDX-License-Identifier: MIT
 * The two tables that the system-call entry reads, and what happens to a process that goes around the vDSO. */
#include "sys/syscall/table.h"

#include "ipc/event_bus.h"
#include "sys/lib/log.h"
#include "sys/process.h"
#include "sys/syscall/extension.h"

#include <arch/atomic.h>
#include <arch/percpu.h>

#define DEFINE_SYSCALL(number, name, ...) extern const char vdso_site_##name[];
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL

/* By number; no return address equals the site of a number without a call. */
extern syscall_handler const syscall_handlers[SYSCALL_TABLE];
extern const char *const syscall_sites[SYSCALL_TABLE];

#define DEFINE_SYSCALL(number, name, ...) [number] = sys_##name,
syscall_handler const syscall_handlers[SYSCALL_TABLE] = {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

#define DEFINE_SYSCALL(number, name, ...) [number] = vdso_site_##name,
const char *const syscall_sites[SYSCALL_TABLE] = {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

#define DEFINE_SYSCALL(number, name, ...) _Static_assert(number == SYSCALL_IS_##name, "numbers have no gap");
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL

PERCPU_ZERO(uint64_t, syscall_counts)[SYSCALL_MAX];

uint64_t syscall_calls(uint32_t number)
{
    uint64_t calls = 0;
    for (uint32_t cpu = 0; cpu < CPU_MAX && percpu_offset(cpu); cpu++)
        calls += load_relaxed(&(*cpu_ptr(cpu, syscall_counts))[number]); /* remote look: a counter */
    return calls;
}

static syscall_handler careful(uint32_t number)
{
    switch (number) {
    case SYSCALL_IS_channel_transact:
        return sys_channel_transact_careful;
    case SYSCALL_IS_channel_respond_and_wait:
        return sys_channel_respond_and_wait_careful;
    default:
        return syscall_handlers[number];
    }
}

struct result syscall_dispatch(uint32_t number, const uint64_t a[6])
{
    if (number >= SYSCALL_BUILT_IN)
        return extension_call(a[0], a[1], a[2], a[3], a[4], a[5], number);
    return careful(number)(a[0], a[1], a[2], a[3], a[4], a[5]);
}

void syscall_bad_origin(uint64_t number)
{
    struct thread *t = sched_current();
    log_warn("process '%s' stopped: bad system-call origin, number %lu, return address %#lx", t->process->name, number,
             t->frame.rip);
    event_publish(EVENT_BAD_ORIGIN, 0, t->process->index, number, t->frame.rip);
    process_stop(t->process,
                 &(struct exit_status){.kind = EXIT_BAD_ORIGIN, .error = (uint32_t)number, .pc = t->frame.rip});
    sched_block();
}
