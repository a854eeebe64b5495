/* SPDX-License-Identifier: MIT
 * Where each CPU is, many times a second. The kernel runs with interrupts off, so only an NMI sees all of it: each one
 * takes a sample there, of the kernel's chain of calls and of the thread's for which it works, into the CPU's own ring.
 *
 * prof=HZ: the NMIs come from the last CPU on which no process lives. It does nothing else but keep time, with
 * intervals drawn between a half and one and a half of what was asked, so that they follow no loop's rhythm; and it is
 * not sampled itself. A CPU that has not answered yet is not asked again: that is counted as late. nmi=sample: the NMIs
 * are the host's, and every CPU is sampled; the host may be the only timer, or one more.
 *
 * The samples go out by sys/profile.h. Without either word there is nothing of this but a test in each NMI. */
#pragma once
#include <arch/frame.h>
#include <stdbool.h>
#include <stdint.h>
#include "sched/process.h"
#include "sys/abi/status.h"
#include "sys/sample_ring.h"

#define SAMPLER_NONE UINT32_MAX

/* Rings for `cpus`, and who is the sampler: for hz > 0 the last CPU without processes. NOT_FOUND: each one has some;
 * RESOURCE_EXHAUSTED. Boot CPU, before page_seal. */
enum status sampler_init(uint64_t hz, uint32_t cpus, const struct process *processes, uint32_t count);

/* From here on samples are taken. Boot CPU, before threads run. */
void sampler_start(void);

/* No more samples, on any CPU, but for those just being taken. Any CPU. */
void sampler_stop(void);

/* An NMI came at `f`. True: the sampler sent it. NMI. */
bool sampler_nmi(const struct frame *f);

/* The CPU that sends the NMIs, or SAMPLER_NONE. */
uint32_t sampler_cpu(void);

/* The ring of a CPU, for the one who reads it. */
struct sample_ring *sampler_ring(uint32_t cpu);

/* How often a CPU was not asked. */
uint64_t sampler_late(uint32_t cpu);
