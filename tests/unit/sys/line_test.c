/* SPDX-License-Identifier: MIT
 * Interrupts from the pin to the signal and back, on a played machine of two CPUs: nothing is lost, nothing storms, EOI
 * comes when it may, whatever comes between two steps. */
#include "tests/unit/sys/line_world.h"

#include "arch/x86_64/asm.h"
#include "sched/inbox.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

static struct device *const edge0 = &devices[0], *const edge1 = &devices[1];
static struct device *const level0 = &devices[4], *const level1 = &devices[5], *const level1b = &devices[7];

TestSuite(line, .init = world_begin, .timeout = 10);

static void run_messages(void)
{
    while (cpu_message(0) || cpu_message(1))
        ;
}

static void signal_is(const struct device *d, bool on)
{
    cr_assert(eq(int, driver_signalled(d), on));
}

Test(line, an_edge_raises_its_signal_and_no_other)
{
    device_want(edge0);
    cr_assert(cpu_interrupt(0));
    cr_assert(eq(u32, objects[0].object.signals, SIGNAL_INTERRUPT_A << edge0->index));
    cr_assert(eq(u32, objects[1].object.signals, 0));
    cr_assert(eq(int, cpu_serves(0, edge0->vector), 0), "EOI");
    cr_assert(eq(int, edge0->masked, 0));
    driver_serve(edge0);
    driver_acknowledge(edge0);
    signal_is(edge0, false);
    cr_assert(eq(sz, cpu_messages(0) + cpu_messages(1), 0));
}

Test(line, edges_before_the_acknowledgement_are_one)
{
    for (int i = 0; i < 5; i++) {
        device_want(edge0);
        driver_serve(edge0);
        cr_assert(eq(int, cpu_interrupt(0), i < 2));
        cr_assert(eq(int, edge0->masked, i > 0), "the second masks");
    }
    signal_is(edge0, true);
    driver_acknowledge(edge0);
    signal_is(edge0, true);
    cr_assert(eq(int, edge0->masked, 0));
    driver_acknowledge(edge0);
    signal_is(edge0, false);
}

Test(line, an_edge_elsewhere_is_told_again_when_the_line_is_unmasked)
{
    device_want(edge1);
    cr_assert(cpu_interrupt(1));
    driver_serve(edge1);
    device_want(edge1);
    cr_assert(cpu_interrupt(1));
    cr_assert(eq(int, edge1->masked, 0), "it is asked for");
    run_messages();
    cr_assert(eq(int, edge1->masked, 1));
    driver_serve(edge1);
    driver_acknowledge(edge1);
    signal_is(edge1, false);
    device_want(edge1);
    cr_assert(eq(int, cpu_interrupt(1), 0), "it is lost");
    cr_assert(cpu_message(0));
    signal_is(edge1, false);
    cr_assert(cpu_message(1));
    signal_is(edge1, true); /* and so it is not */
    driver_serve(edge1);
    driver_acknowledge(edge1);
    signal_is(edge1, false);
    run_messages();
    signal_is(edge1, false);
}

/* Two edges, of which the second is kept and masks the line. */
static void edge_twice(struct device *d)
{
    for (int i = 0; i < 2; i++) {
        driver_serve(d);
        device_want(d);
        cr_assert(cpu_interrupt(d->cpu));
    }
    driver_serve(d);
}

/* Nothing is told while the line is masked: whoever looks at the device then would miss what comes after that look. */
static void nothing_is_missed(struct device *d)
{
    for (bool moved = true; moved;) {
        if (driver_signalled(d)) {
            driver_serve(d);
            device_want(d);
            driver_acknowledge(d);
            moved = true;
            run_messages();
            cr_assert(cpu_interrupt(d->cpu), "an edge was lost");
            driver_serve(d);
            driver_acknowledge(d);
            run_messages();
            return;
        }
        moved = cpu_message(1) || cpu_message(0);
    }
}

Test(line, an_answer_to_an_older_question)
{
    edge_twice(edge1);
    cr_assert(cpu_message(0));
    cr_assert(cpu_message(1));
    driver_acknowledge(edge1);
    cr_assert(cpu_message(0)); /* unmasked, and the answer is under way */
    driver_serve(edge1);
    edge_twice(edge1);
    cr_assert(cpu_message(0));
    cr_assert(edge1->masked);
    driver_acknowledge(edge1);
    cr_assert(cpu_message(1));
    signal_is(edge1, false);
    nothing_is_missed(edge1);
}

Test(line, a_trigger_between_question_and_answer)
{
    edge_twice(edge1);
    run_messages();
    driver_acknowledge(edge1);
    trigger(edge1, 1);
    cr_assert(cpu_message(1));
    signal_is(edge1, true);
    driver_acknowledge(edge1);
    cr_assert(edge1->masked);
    signal_is(edge1, false);
    nothing_is_missed(edge1);
}

Test(line, a_level_is_masked_before_eoi)
{
    device_want(level0);
    cr_assert(cpu_interrupt(0));
    signal_is(level0, true);
    cr_assert(level0->masked);
    cr_assert(eq(int, cpu_serves(0, level0->vector), 0));
    cr_assert(eq(int, cpu_interrupt(0), 0), "it is still there, but masked");
    driver_acknowledge(level0);
    signal_is(level0, false);
    cr_assert(cpu_interrupt(0), "acknowledged and not served");
    signal_is(level0, true);
    driver_serve(level0);
    driver_acknowledge(level0);
    cr_assert(eq(int, cpu_interrupt(0), 0));
    signal_is(level0, false);
}

Test(line, a_level_elsewhere_has_its_eoi_when_it_is_masked)
{
    device_want(level1);
    device_want(level1b);
    cr_assert(cpu_interrupt(1));
    struct device *first = driver_signalled(level1) ? level1 : level1b, *second = first == level1 ? level1b : level1;
    signal_is(second, false);
    cr_assert(cpu_serves(1, first->vector));
    cr_assert(eq(int, cpu_interrupt(1), 0), "the second waits");
    device_want(edge1);
    cr_assert(cpu_interrupt(1), "an edge does not");
    signal_is(edge1, true);
    cr_assert(cpu_serves(1, first->vector));
    cr_assert(cpu_message(0));
    cr_assert(first->masked);
    cr_assert(cpu_serves(1, first->vector));
    cr_assert(cpu_message(1));
    cr_assert(eq(int, cpu_serves(1, first->vector), 0));
    cr_assert(cpu_interrupt(1));
    signal_is(second, true);
}

Test(line, an_acknowledgement_overtakes_the_answer)
{
    device_want(level1);
    cr_assert(cpu_interrupt(1));
    driver_serve(level1);
    driver_acknowledge(level1);
    cr_assert(cpu_serves(1, level1->vector));
    cr_assert(eq(sz, cpu_messages(0), 1), "one request says both");
    run_messages();
    cr_assert(eq(int, cpu_serves(1, level1->vector), 0));
    cr_assert(eq(int, level1->masked, 0));
    cr_assert(eq(int, cpu_interrupt(1), 0));

    device_want(level1);
    cr_assert(cpu_interrupt(1));
    cr_assert(cpu_message(0));
    driver_acknowledge(level1); /* not served; between the answer's start and its end */
    run_messages();
    cr_assert(cpu_interrupt(1));
    signal_is(level1, true);
}

Test(line, triggers)
{
    trigger(edge1, 0);
    trigger(edge1, 0);
    trigger(edge1, 1);
    signal_is(edge1, false);
    cr_assert(eq(sz, cpu_messages(1), 1), "one for all that come before it arrives");
    run_messages();
    signal_is(edge1, true);
    trigger(edge1, 0);
    run_messages();
    cr_assert(eq(int, edge1->masked, 0), "the device has done nothing");
    driver_acknowledge(edge1);
    signal_is(edge1, true);
    driver_acknowledge(edge1);
    signal_is(edge1, false);
    trigger(level1, 0);
    run_messages();
    signal_is(level1, true);
    cr_assert(eq(int, interrupt_trigger(8), STATUS_NOT_FOUND));
    cr_assert(eq(int, interrupt_trigger(IMAGE_INTERRUPT_MAX), STATUS_NOT_FOUND));
    cr_assert(eq(int, interrupt_trigger(UINT32_MAX), STATUS_NOT_FOUND));
}

Test(line, an_acknowledgement_of_several_and_of_none)
{
    struct interrupt_object *o = &objects[0];
    device_want(edge0);
    device_want(level0);
    while (cpu_interrupt(0))
        ;
    const uint32_t both = SIGNAL_INTERRUPT_A << edge0->index | SIGNAL_INTERRUPT_A << level0->index;
    cr_assert(eq(u32, o->object.signals, both));
    cr_assert(eq(int, interrupt_ack(o, both | SIGNAL_READABLE), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, interrupt_ack(o, SIGNAL_USER), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(int, interrupt_ack(o, 1u << 31), STATUS_INVALID_ARGUMENT));
    cr_assert(eq(u32, o->object.signals, both));
    driver_serve(level0);
    cr_assert(eq(int, interrupt_ack(o, both | SIGNAL_INTERRUPT_A << 14), STATUS_OK),
              "one that the object does not have");
    cr_assert(eq(u32, o->object.signals, 0));
    cr_assert(eq(int, level0->masked, 0));
    cr_assert(eq(int, interrupt_ack(o, both), STATUS_OK));
    cr_assert(eq(int, interrupt_ack(o, 0), STATUS_OK));
    cr_assert(eq(u32, o->object.signals, 0));
}

Test(line, a_number_without_a_line)
{
    struct interrupt_object o = {.object = {.cpu = 1, .process = &processes[1]}};
    cr_assert(eq(int, interrupt_add(&o, 8), STATUS_NOT_FOUND));
    cr_assert(eq(int, interrupt_add(&o, IMAGE_INTERRUPT_MESSAGE - 1), STATUS_NOT_FOUND));
    cr_assert(eq(u32, o.count, 0));
    cr_assert(eq(int, interrupt_add(&o, IMAGE_INTERRUPT_MESSAGE), STATUS_OK));
    cr_assert(eq(int, interrupt_add(&o, IMAGE_INTERRUPT_MAX - 1), STATUS_OK));
    cr_assert(eq(int, interrupt_trigger(IMAGE_INTERRUPT_MAX - 1), STATUS_OK));
    run_messages();
    cr_assert(eq(u32, o.object.signals, SIGNAL_INTERRUPT_A << 1));
    percpu_head.cpu = 1;
    cr_assert(eq(int, interrupt_ack(&o, SIGNAL_INTERRUPT_A << 1), STATUS_OK));
    interrupt_stop(&o);
    interrupt_start(&o);
    cr_assert(eq(u32, o.object.signals, 0));
    cr_assert(eq(sz, cpu_messages(0), 0));
}

Test(line, a_number_with_a_message)
{
    struct interrupt_object o = {.object = {.cpu = 1, .process = &processes[1]}};
    uint64_t message = 0;
    percpu_head.apic_id = 5; /* of CPU 1 */
    cr_assert(eq(int, interrupt_add(&o, IMAGE_INTERRUPT_MESSAGE), STATUS_OK));
    cr_assert(eq(int, interrupt_add(&o, IMAGE_INTERRUPT_MAX - 1), STATUS_OK));
    cr_assert(eq(int, interrupt_message(&objects[0], edge0->number, &message), STATUS_NOT_FOUND), "a line");
    cr_assert(eq(int, interrupt_message(&objects[1], IMAGE_INTERRUPT_MESSAGE, &message), STATUS_NOT_FOUND),
              "another's");
    cr_assert(eq(int, interrupt_message(&o, IMAGE_INTERRUPT_MESSAGE + 1, &message), STATUS_NOT_FOUND), "nobody's");
    cr_assert(eq(u64, message, 0));
    cr_assert(eq(int, interrupt_message(&o, IMAGE_INTERRUPT_MAX - 1, &message), STATUS_OK));
    cr_assert(eq(u32, (uint32_t)message, 0xfee05000));
    const uint32_t data = (uint32_t)(message >> 32);
    cr_assert(data >= VECTOR_EDGE_FIRST && data < VECTOR_LINE_END);
    for (int i = 0; i < 3; i++) {
        cpu_request(1, (uint8_t)data);
        cr_assert(cpu_interrupt(1), "nothing masks it");
        cr_assert(eq(u32, o.object.signals, SIGNAL_INTERRUPT_A << 1));
    }
    cr_assert(eq(int, interrupt_ack(&o, SIGNAL_INTERRUPT_A << 1), STATUS_OK));
    cr_assert(eq(u32, o.object.signals, SIGNAL_INTERRUPT_A << 1));
    cr_assert(eq(int, interrupt_ack(&o, SIGNAL_INTERRUPT_A << 1), STATUS_OK));
    cr_assert(eq(u32, o.object.signals, 0));
    cr_assert(eq(sz, cpu_messages(0) + cpu_messages(1), 0));
    percpu_head.apic_id = 254;
    cr_assert(eq(int, interrupt_message(&o, IMAGE_INTERRUPT_MESSAGE, &message), STATUS_OK));
    cr_assert(eq(u32, (uint32_t)message, 0xfeefe000));
    percpu_head.apic_id = 255;
    cr_assert(eq(int, interrupt_message(&o, IMAGE_INTERRUPT_MESSAGE, &message), STATUS_UNIMPLEMENTED));
}

Test(line, a_process_stops_and_starts_again)
{
    for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
        struct device *edge = &devices[cpu], *level = &devices[4 + cpu];
        device_want(edge);
        device_want(level);
        while (cpu_interrupt(cpu) || cpu_message(0) || cpu_message(1))
            ;
        signal_is(edge, true);
        signal_is(level, true);
        process_toggle(cpu);
        run_messages();
        signal_is(edge, false);
        signal_is(level, false);
        cr_assert(edge->masked && level->masked);
        trigger(edge, 0);
        run_messages();
        process_toggle(cpu);
        cr_assert(eq(int, processes[cpu].stopped, cpu != 0), "only the boot CPU can do it at once");
        run_messages();
        cr_assert(eq(int, edge->masked, 0));
        cr_assert(eq(int, level->masked, cpu != 0), "it would only fire and be masked again");
        if (processes[cpu].stopped)
            process_toggle(cpu);
        run_messages();
        cr_assert(eq(int, edge->masked || level->masked, 0));
        cr_assert(eq(u32, objects[cpu].object.signals, 0));
        device_want(edge);
        device_want(level);
        while (cpu_interrupt(cpu) || cpu_message(0) || cpu_message(1))
            ;
        signal_is(edge, true);
        signal_is(level, true);
    }
}

Test(line, what_was_kept_dies_with_the_process)
{
    edge_twice(edge0);
    process_toggle(0);
    process_toggle(0);
    signal_is(edge0, false);
    device_want(edge0);
    cr_assert(cpu_interrupt(0));
    driver_serve(edge0);
    driver_acknowledge(edge0);
    signal_is(edge0, false);
}

Test(line, edges_while_a_process_is_loaded_do_not_keep_it_from_starting)
{
    process_toggle(1);
    process_toggle(1);
    run_messages();
    cr_assert(processes[1].loading);
    for (int i = 0; i < 3; i++) {
        device_want(edge1);
        driver_serve(edge1);
        cr_assert(cpu_interrupt(1));
    }
    process_toggle(1);
    cr_assert(eq(int, processes[1].stopped, 0));
    signal_is(edge1, false);
}

/* An interrupt was on its way when the process stopped. */
Test(line, a_late_interrupt_of_a_stopped_process)
{
    device_want(edge1);
    device_want(level1);
    process_toggle(1);
    while (cpu_interrupt(1) || cpu_message(0) || cpu_message(1))
        ;
    cr_assert(eq(u32, objects[1].object.signals, 0));
    cr_assert(edge1->masked && level1->masked);
    cr_assert(eq(int, cpu_serves(1, level1->vector), 0), "EOI nevertheless");
}

Test(line, vectors_are_of_the_class_of_their_kind_and_end)
{
    uint8_t vectors[256] = {0};
    world_routes = vectors;
    uint32_t ok = 0;
    for (uint32_t n = 200; n < IMAGE_INTERRUPT_MESSAGE; n++)
        ok += line_route(n, n & 1) == STATUS_OK;
    cr_assert(eq(u32, ok, VECTOR_EDGE_FIRST - VECTOR_LINE_FIRST - 4), "level-triggered: all but those of the world");
    cr_assert(eq(int, line_route(239, 0), STATUS_RESOURCE_EXHAUSTED));
    for (uint32_t n = 200; n < 200 + ok; n++) {
        cr_assert(vectors[n] >= VECTOR_LINE_FIRST && vectors[n] < VECTOR_EDGE_FIRST);
        for (uint32_t m = 200; m < n; m++)
            cr_assert(vectors[m] != vectors[n]);
    }
    ok = 0;
    for (uint32_t n = 0; n < 200; n++) {
        if (line_route(n, 0) != STATUS_OK)
            continue;
        ok++;
        cr_assert(vectors[n] >= VECTOR_EDGE_FIRST && vectors[n] < VECTOR_LINE_END);
    }
    cr_assert(eq(u32, ok, VECTOR_LINE_END - VECTOR_EDGE_FIRST - 4));
}

Test(line, vectors_that_are_nobodys)
{
    cr_assert(eq(int, line_interrupt(VECTOR_LINE_FIRST - 1), 0));
    cr_assert(eq(int, line_interrupt(VECTOR_EDGE_FIRST - 1), 0));
    cr_assert(eq(int, line_interrupt(VECTOR_LINE_END - 1), 0));
    cr_assert(eq(int, line_interrupt(VECTOR_LINE_END), 0));
    cr_assert(eq(int, line_interrupt(UINT64_MAX), 0));
}

static uint32_t next_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

/* One step of a driver: it sees its signal, then serves and acknowledges, in either order, and anything may come
 * between. */
static bool driver_step(struct device *d)
{
    if (processes[d->cpu].stopped)
        return false;
    if (d->driver == IDLE) {
        if (!driver_signalled(d))
            return false;
        d->signals++;
        if (next_random() & 1) {
            driver_serve(d);
            d->driver = ACK_NEXT;
        } else {
            driver_acknowledge(d);
            d->driver = SERVE_NEXT;
        }
        return true;
    }
    if (d->driver == ACK_NEXT)
        driver_acknowledge(d);
    else
        driver_serve(d);
    d->driver = IDLE;
    return true;
}

static void any_step(void)
{
    struct device *d = &devices[next_random() % LINES];
    const uint32_t what = next_random() % 64;
    if (what < 20)
        device_want(d);
    else if (what < 30)
        (void)cpu_interrupt(d->cpu);
    else if (what < 40)
        (void)cpu_message(d->cpu);
    else if (what < 60)
        (void)driver_step(d);
    else if (what < 62)
        trigger(d, next_random() & 1);
    else if (next_random() % 16 == 0)
        process_toggle(d->cpu);
}

/* Before the acknowledgement. Elsewhere than on the boot CPU it takes a while to mask an edge. */
static void nothing_storms(int round)
{
    for (size_t i = 0; i < LINES; i++) {
        const struct device *d = &devices[i];
        if (d->interrupts > (d->is_level ? 1 : 2) && (d->is_level || d->cpu == 0))
            cr_assert(0, "round %d: %u interrupts of line %u", round, d->interrupts, d->number);
    }
}

static void quiet_is_right(void)
{
    for (size_t i = 0; i < LINES; i++) {
        const struct device *d = &devices[i];
        cr_assert(eq(u32, d->work, 0), "line %u: the device still wants something", d->number);
        cr_assert(eq(int, d->masked, 0), "line %u", d->number);
        cr_assert(eq(int, cpu_serves(d->cpu, d->vector), 0), "line %u", d->number);
        cr_assert(eq(int, d->remote_irr, 0), "line %u", d->number);
    }
}

Test(line, whatever_comes_between_nothing_is_lost, .timeout = 60)
{
    for (int round = 0; round < 20000; round++) {
        for (uint32_t steps = next_random() % 60; steps > 0; steps--) {
            any_step();
            nothing_storms(round);
        }
        bool moved = true;
        while (moved) {
            for (uint32_t cpu = 0; cpu < CPUS; cpu++)
                if (processes[cpu].stopped)
                    process_toggle(cpu);
            moved = processes[0].stopped | processes[1].stopped;
            moved |= cpu_interrupt(0) | cpu_interrupt(1) | cpu_message(0) | cpu_message(1);
            for (size_t i = 0; i < LINES; i++)
                moved |= driver_step(&devices[i]);
        }
        quiet_is_right();
    }
    for (size_t i = 0; i < LINES; i++)
        cr_assert(devices[i].signals > 10000, "line %u: only %u signals", devices[i].number, devices[i].signals);
}
