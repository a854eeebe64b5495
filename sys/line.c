/* SPDX-License-Identifier: MIT
 * Vectors of lines, and the boot CPU's work for other CPUs. sys/line.h has the protocol. */
#include "sys/line.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/ioapic.h"
#include "sched/inbox.h"
#include "sched/thread.h"
#include "sys/abi/image.h"
#include "sys/interrupt.h"
#include "sys/lib/log.h"

#include <arch/apic.h>
#include <arch/atomic.h>
#include <arch/percpu.h>

#define BOOT_CPU 0
#define VECTORS (VECTOR_LINE_END - VECTOR_LINE_FIRST)

#define MESSAGE_ADDRESS 0xfee00000u
#define MESSAGE_CPU_SHIFT 12
#define MESSAGE_CPU_MAX 254

/* Of `wanted`. */
#define MASKED 1u
#define CHANGE 2u

struct line {
    uint8_t vector;   /* [I] 0: there is no such line */
    bool is_level;    /* [I] */
    uint16_t cpu;     /* [I] home */
    uint32_t wanted;  /* [w] home CPU: MASKED or not, and the number of changes * CHANGE */
    bool in_service;  /* [o] EOI is owed when `applied` has come to eoi_at */
    uint32_t eoi_at;  /* [o] */
    bool asked;       /* [a] a request is under way */
    bool answered;    /* [a] an answer is under way */
    uint32_t applied; /* [w] boot CPU */
};

static struct line lines[IMAGE_INTERRUPT_MAX]; /* by number */
static uint8_t level_vectors;                  /* boot: how many are taken, on all CPUs */

struct vectors {
    uint16_t line[VECTORS]; /* [I] number + 1; 0: none */
    uint64_t strays;        /* [o] */
    uint64_t repeats;       /* [o] */
};
static PERCPU_ZERO(struct vectors, vectors);

static bool has_line(uint32_t number)
{
    return number < IMAGE_INTERRUPT_MESSAGE;
}

/* Gives the line a vector; false if none is left. */
static bool vector_take(struct line *l, uint32_t number)
{
    struct vectors *v = cpu_ptr(l->cpu, vectors); /* remote, but that CPU runs nothing yet */
    uint32_t at = l->is_level ? level_vectors : VECTOR_EDGE_FIRST - VECTOR_LINE_FIRST;
    uint32_t end = l->is_level ? VECTOR_EDGE_FIRST - VECTOR_LINE_FIRST : VECTORS;
    while (at < end && v->line[at])
        at++;
    if (at == end)
        return false;
    if (l->is_level)
        level_vectors = (uint8_t)(at + 1);
    v->line[at] = (uint16_t)(number + 1);
    l->vector = (uint8_t)(VECTOR_LINE_FIRST + at);
    return true;
}

enum status line_route(uint32_t number, uint32_t cpu)
{
    struct line *l = &lines[number];
    if (has_line(number) && !ioapic_has(number))
        return STATUS_NOT_FOUND;
    *l = (struct line){.is_level = has_line(number) && ioapic_is_level(number), .cpu = (uint16_t)cpu};
    if (!vector_take(l, number))
        return STATUS_RESOURCE_EXHAUSTED;
    if (!has_line(number))
        return STATUS_OK;
    l->wanted = l->applied = MASKED;
    return ioapic_route(number, l->vector, cpu_ptr(cpu, percpu_head)->apic_id);
}

/* Boot CPU. */
static void apply(uint32_t number)
{
    struct line *l = &lines[number];
    uint32_t wanted = load_relaxed(&l->wanted);
    if (wanted & MASKED)
        ioapic_mask(number);
    else
        ioapic_unmask(number);
    store_relaxed(&l->applied, wanted);
}

/*     home CPU                              boot CPU
 *   1 wanted = w                          4 asked = false
 *   2 asked = true: send, if it was not   5 read wanted, apply, write applied
 *   3 (answer) answered = false           6 answered = true: send, if it was not
 *     read applied
 *   If 2 finds a request under way, that request's 4 is still to come, and its 5 sees w: both are exchanges of one
 * word, full barriers. Likewise 6 and 3: the answer that 6 finds under way is yet to read what 5 wrote. Model:
 * line.pml. pairs: line-ask, line-answer */
static void run_answer(const struct inbox_message *m)
{
    uint32_t number = (uint32_t)m->word[0];
    struct line *l = &lines[number];
    (void)xchg_acqrel(&l->answered, false); /* pairs: line-answer */
    uint32_t applied = load_relaxed(&l->applied);
    if (l->in_service && (int32_t)(applied - l->eoi_at) >= 0) {
        l->in_service = false;
        apic_eoi();
    }
    if (applied == l->wanted)
        interrupt_reopen(number);
}

static void run_request(const struct inbox_message *m)
{
    uint32_t number = (uint32_t)m->word[0];
    struct line *l = &lines[number];
    (void)xchg_acqrel(&l->asked, false); /* pairs: line-ask */
    apply(number);
    struct inbox_message answer = {run_answer, {number}};
    if (!xchg_acqrel(&l->answered, true)) /* pairs: line-answer */
        inbox_send(l->cpu, &answer, THREAD_PRIORITIES - 1);
}

/* True: it is in effect. False: the answer is to come. */
static bool want(uint32_t number, uint32_t masked)
{
    struct line *l = &lines[number];
    store_relaxed(&l->wanted, ((l->wanted + CHANGE) & ~MASKED) | masked);
    if (cpu_index() == BOOT_CPU) {
        apply(number);
        return true;
    }
    struct inbox_message request = {run_request, {number}};
    if (!xchg_acqrel(&l->asked, true)) /* pairs: line-ask */
        inbox_send(BOOT_CPU, &request, THREAD_PRIORITIES - 1);
    return false;
}

void line_mask(uint32_t number)
{
    if (has_line(number) && !(lines[number].wanted & MASKED))
        (void)want(number, MASKED);
}

bool line_unmask(uint32_t number)
{
    if (!has_line(number))
        return true;
    if (lines[number].wanted & MASKED)
        return want(number, 0);
    return load_relaxed(&lines[number].applied) == lines[number].wanted;
}

bool line_prepare(uint32_t number)
{
    return !has_line(number) || lines[number].is_level || line_unmask(number);
}

static void level_interrupt(struct line *l, uint32_t number)
{
    if (want(number, MASKED)) {
        apic_eoi();
        return;
    }
    l->in_service = true;
    l->eoi_at = l->wanted;
}

bool line_interrupt(uint64_t vector)
{
    if (vector - VECTOR_LINE_FIRST >= VECTORS || !this_cpu(vectors).line[vector - VECTOR_LINE_FIRST])
        return false;
    uint32_t number = this_cpu(vectors).line[vector - VECTOR_LINE_FIRST] - 1u;
    struct line *l = &lines[number];
    if (l->is_level)
        level_interrupt(l, number);
    else
        apic_eoi();
    if (!interrupt_fire(number))
        line_mask(number);
    return true;
}

enum status line_message(uint32_t number, uint64_t *message)
{
    const struct line *l = &lines[number];
    if (has_line(number))
        return STATUS_NOT_FOUND;
    uint32_t id = cpu_ptr(l->cpu, percpu_head)->apic_id; /* fixed after boot */
    if (id > MESSAGE_CPU_MAX)
        return STATUS_UNIMPLEMENTED;
    *message = (uint64_t)l->vector << 32 | MESSAGE_ADDRESS | id << MESSAGE_CPU_SHIFT;
    return STATUS_OK;
}

void line_stray(uint64_t vector)
{
    if (this_cpu(vectors).strays++ == 0)
        log_warn("interrupt %lu on CPU %u is nobody's; further ones are only counted", vector, cpu_index());
}

void line_repeated(void)
{
    this_cpu(vectors).repeats++;
}

void line_write(void)
{
    for (uint32_t cpu = 0; cpu < CPU_MAX && percpu_offset(cpu); cpu++) {
        uint64_t strays = cpu_ptr(cpu, vectors)->strays; /* remote look: the CPU has stopped */
        if (strays > 1)
            log_warn("CPU %u had %lu interrupts that were nobody's", cpu, strays);
        uint64_t repeats = cpu_ptr(cpu, vectors)->repeats; /* likewise */
        if (repeats)
            log_warn("CPU %u was interrupted %lu times while interrupts were off; it went on", cpu, repeats);
    }
}
