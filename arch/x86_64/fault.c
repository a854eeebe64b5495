/* SPDX-License-Identifier: MIT
 * The report of a kernel fault: registers, backtrace by name. Frame pointers are kept throughout the kernel; the walk
 * stops at the first address that is not on a kernel stack. */
#include "arch/x86_64/symbols.h"
#include "arch/x86_64/trap.h"
#include "sys/lib/log.h"
#include "sys/shutdown.h"

#include <arch/control.h>
#include <arch/memory.h>
#include <arch/percpu.h>
#include <stdbool.h>

#define BACKTRACE_MAX 16
#define STACK_BYTES_MAX 16384

static void print_address(unsigned int i, uint64_t address)
{
    uint64_t offset;
    const char *name = symbols_find(address, &offset);
    log_error("  #%-2u %#018lx %s+%#lx", i, address, name ? name : "?", offset);
}

static bool on_stack(uint64_t address, uint64_t from)
{
    return !(address & 7) && address > from && address - from < STACK_BYTES_MAX;
}

void fault_backtrace(uint64_t frame_pointer)
{
    log_error("backtrace, CPU %u:", cpu_index());
    for (unsigned int i = 0; i < BACKTRACE_MAX && frame_pointer >= DIRECT_MAP_BASE; i++) {
        const uint64_t *frame = (const uint64_t *)frame_pointer;
        if (!frame[1])
            return;
        print_address(i, frame[1]);
        if (!on_stack(frame[0], frame_pointer))
            return;
        frame_pointer = frame[0];
    }
}

void fault_report(const struct frame *f)
{
    shutdown_stop_others();
    log_error("kernel fault: %s, error %#lx, address %#lx", trap_name(f->vector), f->error, cr2_read());
    log_error("rip %#018lx rsp %#018lx rflags %#lx cs %#lx cr3 %#lx", f->rip, f->rsp, f->rflags, f->cs, cr3_read());
    log_error("rax %#018lx rbx %#018lx rcx %#018lx rdx %#018lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_error("rsi %#018lx rdi %#018lx rbp %#018lx r8  %#018lx", f->rsi, f->rdi, f->rbp, f->r8);
    log_error("r9  %#018lx r10 %#018lx r11 %#018lx r12 %#018lx", f->r9, f->r10, f->r11, f->r12);
    log_error("r13 %#018lx r14 %#018lx r15 %#018lx", f->r13, f->r14, f->r15);
    print_address(0, f->rip);
    fault_backtrace(f->rbp);
    shutdown_machine(SHUTDOWN_PANIC);
}
