/* SPDX-License-Identifier: MIT
 * The kernel's walk reads its own stack; that of processes goes through read_word, which looks at regions and writes
 * nothing: what user_range remembers may be just being changed by who was interrupted. */
#include "sys/chain.h"

#include "sys/abi/layout.h"
#include "sys/lib/string.h"
#include "sys/user_buffer.h"

#define VDSO_END (USER_CALLS_BASE + USER_CALLS * USER_CALL_BYTES)
#define PUSH_RBP 0x55
#define RET 0xc3
#define MOV_RSP_RBP 0xe58948                     /* behind PUSH RBP */
#define KERNEL_HALF UINT64_C(0xffffffff80000000) /* its code */
#define NO_GAP UINT64_MAX

/* A frame pointer and what lies there. */
struct link {
    uint64_t caller_rbp, return_address;
};

/* False: the chain is full. */
static bool append(struct chain *c, uint64_t address)
{
    if (c->count == PROFILE_FRAMES_MAX) {
        c->cut = true;
        return false;
    }
    c->frames[c->count++] = (uint32_t)address;
    return true;
}

/* How far from RSP the return address is at an instruction of a function that has no frame there; NO_GAP: it has one,
 * or that cannot be seen. `before`: the byte in front of the eight of `code`. */
static uint64_t frame_gap(uint8_t before, uint64_t code)
{
    uint8_t first = (uint8_t)code;
    if (first == PUSH_RBP || first == RET)
        return 0;
    return before == PUSH_RBP && (code & 0xffffff) == MOV_RSP_RBP ? sizeof(uint64_t) : NO_GAP;
}

static bool is_kernel_code(uint64_t address)
{
    return address >= KERNEL_HALF;
}

static bool is_in_stack(uint64_t address, uint64_t bytes, uint64_t bottom, uint64_t top)
{
    return !(address & 7) && address >= bottom && top - bottom >= bytes && address <= top - bytes;
}

/* The caller of a function without a frame, if it is one. */
static void append_kernel_caller(struct chain *c, const struct place *at, uint64_t top)
{
    uint64_t code, caller, gap;
    memcpy(&code, (const char *)at->rip, sizeof(code)); /* the kernel executes it, and its text does not end there */
    gap = frame_gap(*(const uint8_t *)(at->rip - 1), code);
    if (gap == NO_GAP || !is_in_stack(at->rsp + gap, sizeof(caller), at->rsp, top))
        return;
    memcpy(&caller, (const char *)at->rsp + gap, sizeof(caller));
    if (is_kernel_code(caller))
        append(c, caller);
}

void chain_kernel(struct chain *c, const struct place *at, uint64_t top, bool frames)
{
    uint64_t bottom = at->rsp, rbp = at->rbp;
    struct link l;
    append(c, at->rip);
    if (!frames)
        return;
    append_kernel_caller(c, at, top);
    while (is_in_stack(rbp, sizeof(l), bottom, top)) {
        memcpy(&l, (const char *)rbp, sizeof(l));
        if (!is_kernel_code(l.return_address) || !append(c, l.return_address))
            return;
        bottom = rbp + sizeof(uint64_t);
        rbp = l.caller_rbp;
    }
}

void chain_entry(struct chain *c, uint64_t return_address)
{
    if (!c->count || c->frames[c->count - 1] != (uint32_t)return_address)
        append(c, return_address);
}

/* A region that holds [address, + n), n > 0, and that the process may read; NULL: there is none. */
static const struct region *region_find(const struct process *p, uint64_t address, uint64_t n)
{
    for (uint32_t i = 0; i < p->region_count; i++)
        if (region_holds(&p->regions[i], address, n) && (p->regions[i].flags & IMAGE_REGION_READ))
            return &p->regions[i];
    return NULL;
}

static bool read_user(const struct process *p, uint64_t address, void *to, uint64_t n)
{
    const struct region *r = region_find(p, address, n);
    if (r)
        memcpy(to, (const char *)(address + r->to_kernel), n);
    return r;
}

/* How far from the thread's RSP its innermost return address is; NO_GAP: it has a frame. */
static uint64_t user_gap(const struct process *p, uint64_t rip)
{
    uint8_t bytes[9];
    uint64_t code;
    if (rip >= USER_VDSO_BASE && rip < VDSO_END)
        return 0;
    if (!read_user(p, rip - 1, bytes, sizeof(bytes)))
        return NO_GAP;
    memcpy(&code, bytes + 1, sizeof(code));
    return frame_gap(bytes[0], code);
}

/* False: that is no return address of a process, or the chain is full. */
static bool append_user_caller(struct chain *c, uint64_t caller)
{
    return caller && caller < USER_END && append(c, caller);
}

void chain_user(struct chain *c, const struct process *p, const struct place *at)
{
    uint64_t rbp = at->rbp, caller, bottom = 0;
    struct link l;
    if (!at->rip || at->rip >= USER_END)
        return;
    append(c, at->rip);
    uint64_t gap = user_gap(p, at->rip);
    if (gap != NO_GAP && (!read_user(p, at->rsp + gap, &caller, sizeof(caller)) || !append_user_caller(c, caller)))
        return;
    while (rbp > bottom && !(rbp & 7) && read_user(p, rbp, &l, sizeof(l))) {
        if (!append_user_caller(c, l.return_address))
            return;
        bottom = rbp;
        rbp = l.caller_rbp;
    }
}
