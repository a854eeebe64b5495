/* SPDX-License-Identifier: MIT
 * Interrupt lines: the hardware below interrupt objects (sys/interrupt.h). Each line raises a vector on one CPU, the
 * home CPU of its object. A number from IMAGE_INTERRUPT_MESSAGE on has a vector and no line: a device raises it by a
 * message, which its driver tells it. That is an edge which nothing masks: who can make a device write can make it
 * write anything, anywhere.
 *
 * Only the boot CPU touches IO-APICs, since their registers take two steps (arch/x86_64/ioapic.h). Others ask it. A
 * line has a word on either side, each with one writer: `wanted`, how its home CPU wants it, with a count of changes;
 * and `applied`, the last of these that the boot CPU has brought about. The messages only say "look": one request and
 * one answer per line can be under way, which bounds the inboxes. When `applied` is `wanted`, what was wanted is in
 * effect.
 *
 * Level-triggered lines must be masked before the end of interrupt (EOI), or they would be raised again at once. The
 * boot CPU masks, then sends EOI; on another CPU EOI waits for the answer. Until then that CPU's APIC holds back
 * vectors of the same class and below. So all level-triggered lines have vectors of the lowest class: no other
 * interrupt waits for them, at most one of them is in service, and EOI means that one, since whatever is above it has
 * had its EOI before the kernel looks at its inbox. EOI tells IO-APICs nothing but a vector, so these vectors are
 * different over all CPUs: there can be 16 such lines in an image.
 *
 * Edge-triggered lines get EOI at once and stay unmasked. An edge that comes before the last one was acknowledged is
 * kept (sys/interrupt.c), and masks the line: a device that nobody serves costs two interrupts, not a CPU. An edge on a
 * masked line is lost; the one that was kept stands for it, because it is told only when the line is unmasked, not when
 * that was asked for. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

/* Requests and answers; trigger messages are sys/interrupt.c's. */
#define LINE_MESSAGES 2

/* Boot: the number will fire on `cpu`; a line is masked. NOT_FOUND: no IO-APIC has it. RESOURCE_EXHAUSTED: no vector is
 * left. OUT_OF_RANGE: an IO-APIC cannot name that CPU. */
enum status line_route(uint32_t number, uint32_t cpu);

/* Home CPU, or at boot. line_unmask: true if it is in effect, false if interrupt_reopen will follow when it is.
 * line_prepare: the same for an edge-triggered line, which would lose edges until then; of others true, and nothing is
 * done. */
void line_mask(uint32_t number);
bool line_unmask(uint32_t number);
bool line_prepare(uint32_t number);

/* What a device writes to raise the vector of a number: address, data << 32. NOT_FOUND: it has a line; UNIMPLEMENTED:
 * no message can name its CPU. */
enum status line_message(uint32_t number, uint64_t *message);

/* This CPU was interrupted by a vector: false if nothing has it here. From sys/trap.c. */
bool line_interrupt(uint64_t vector);

/* This CPU was interrupted and nobody knows why: counted, and logged once. */
void line_stray(uint64_t vector);

/* This CPU was interrupted while interrupts were off: counted. Safe wherever that can be, so nothing is logged. */
void line_repeated(void);

/* Boot CPU, others have stopped: a line for each CPU that had several strays, or was interrupted against its will. */
void line_write(void);
