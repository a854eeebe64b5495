/* SPDX-License-Identifier: MIT
 * The report of a kernel fault: registers, backtrace by name. Frame pointers are kept throughout the kernel; the walk
 * stops at the first address that is not on a kernel stack: RBP may be the user's, where the entry was hit, and say
 * anything. */
#include "arch/x86_64/symbols.h"
#include "arch/x86_64/trap.h"
#include "sys/lib/log.h"
#include "sys/shutdown.h"

#include <arch/control.h>
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

static bool is_frame(uint64_t address, uint64_t bottom, uint64_t top)
{
    return !(address & 7) && address >= bottom && address <= top - 2 * sizeof(uint64_t);
}

/* On this CPU's stack, or on the one in use: of boot, or of an exception that has its own. */
void fault_backtrace(uint64_t frame_pointer)
{
    log_error("backtrace, CPU %u:", cpu_index());
    uint64_t top = this_cpu(percpu_head).stack_top, bottom = top - STACK_BYTES_MAX;
    if (!top || !is_frame(frame_pointer, bottom, top)) {
        bottom = (uint64_t)__builtin_frame_address(0);
        top = bottom + STACK_BYTES_MAX;
    }
    for (unsigned int i = 0; i < BACKTRACE_MAX && is_frame(frame_pointer, bottom, top); i++) {
        const uint64_t *frame = (const uint64_t *)frame_pointer;
        if (!frame[1])
            return;
        print_address(i, frame[1]);
        bottom = frame_pointer + sizeof(uint64_t);
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
