/* SPDX-License-Identifier: MIT
 * The instruction is read out of the process's region, by the kernel's address: with SMAP and without a page fault, and
 * since no page is writable and executable it is the one that the CPU saw. */
#include "sys/port.h"

#include "arch/x86_64/port_instruction.h"
#include "sys/user_buffer.h"

#include <arch/io.h>

static bool fetch(const struct process *p, uint64_t rip, struct port_instruction *out)
{
    for (uint32_t i = 0; i < p->region_count; i++) {
        const struct region *r = &p->regions[i];
        if ((r->flags & IMAGE_REGION_EXECUTE) && region_holds(r, rip, 1))
            return port_instruction_decode((const uint8_t *)(rip + r->to_kernel), r->end - rip, out);
    }
    return false;
}

static bool is_granted(const struct process *p, uint64_t port, uint64_t width)
{
    for (uint32_t i = 0; i < p->device_count; i++) {
        const struct image_device *d = &p->devices[i];
        if (d->kind == IMAGE_DEVICE_PORTS && port >= d->physical && port - d->physical < d->bytes &&
            width <= d->bytes - (port - d->physical))
            return true;
    }
    return false;
}

static void out(uint16_t port, uint8_t width, uint64_t rax)
{
    switch (width) {
    case 1:
        io_out8(port, (uint8_t)rax);
        break;
    case 2:
        io_out16(port, (uint16_t)rax);
        break;
    default:
        io_out32(port, (uint32_t)rax);
    }
}

/* RAX afterwards: only a double word clears what is above it. */
static uint64_t in(uint16_t port, uint8_t width, uint64_t rax)
{
    switch (width) {
    case 1:
        return (rax & ~UINT64_C(0xff)) | io_in8(port);
    case 2:
        return (rax & ~UINT64_C(0xffff)) | io_in16(port);
    default:
        return io_in32(port);
    }
}

bool port_execute(struct thread *t)
{
    struct frame *f = &t->frame;
    struct port_instruction i;
    if (!t->process->device_count || f->error || !fetch(t->process, f->rip, &i))
        return false;
    const uint16_t port = i.has_port ? i.port : (uint16_t)f->rdx;
    if (!is_granted(t->process, port, i.width))
        return false;
    if (i.is_out)
        out(port, i.width, f->rax);
    else
        f->rax = in(port, i.width, f->rax);
    f->rip += i.length;
    return true;
}
