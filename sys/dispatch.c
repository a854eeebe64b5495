/* SPDX-License-Identifier: MIT
 * The two tables that the system-call entry reads, and what happens to a process that goes around the vDSO. */
#include "sys/dispatch.h"

#include "sys/lib/log.h"
#include "sys/process.h"

#define DEFINE_SYSCALL(number, name, count, ...) extern const char vdso_site_##name[];
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL

/* By number; a number without a call has a site that no return address equals. */
extern syscall_handler const syscall_handlers[SYSCALL_MAX];
extern const char *const syscall_sites[SYSCALL_MAX];

#define DEFINE_SYSCALL(number, name, count, ...) [number] = sys_##name,
syscall_handler const syscall_handlers[SYSCALL_MAX] = {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

#define DEFINE_SYSCALL(number, name, count, ...) [number] = vdso_site_##name,
const char *const syscall_sites[SYSCALL_MAX] = {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

void syscall_bad_origin(void)
{
    struct thread *t = sched_current();
    log_warn("process '%s' stopped: bad system-call origin, return address %#lx", t->process->name, t->frame.rip);
    process_stop(t->process, PROCESS_EXIT_BAD_ORIGIN);
    sched_block();
}
