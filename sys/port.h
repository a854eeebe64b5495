/* SPDX-License-Identifier: MIT
 * I/O ports for processes. The CPU lets no process touch a port: IN and OUT are general protection faults, and the
 * kernel does them for a process whose image gives it the port. So a switch of processes has nothing to change (the
 * CPU's own way, a bitmap in the TSS, would be 8 KiB to exchange), and an access costs a fault, some hundred cycles,
 * where a real port costs an exit to the hypervisor anyway. */
#pragma once
#include <stdbool.h>
#include "sched/process.h"

/* The current thread is at an instruction that the CPU refused. True: it was IN or OUT on ports of its process, and it
 * is done. False: nothing was changed. From sys/trap.c. */
bool port_execute(struct thread *t);
