/* SPDX-License-Identifier: MIT
 * Non-maskable interrupts: the host wants a look (QEMU's `nmi`, `virsh inject-nmi`, `xl trigger nmi`). They hit
 * anywhere, between any two instructions of the kernel, which knows nothing of it: so they are counted, and the log
 * tells where they hit. In a kernel that hangs nobody would read that; nmi=panic stops the machine with the report of a
 * fault. With nmi=sample the log is silent about each: they are many, and samples (sys/sampler.h). Those that the
 * sampler sends are not the host's, and are not counted here. */
#pragma once
#include <arch/frame.h>
#include <stdbool.h>

struct thread;

/* Boot: what an NMI does. */
void nmi_set(bool panics, bool samples);

/* It hit `t` in user mode: nothing is under way in the kernel. */
void nmi_user(const struct thread *t);

/* It hit the kernel, which goes on at `f`. May only touch what nobody else touches. */
void nmi_kernel(struct frame *f);

/* Boot CPU, others have stopped: a line for each CPU that had one. */
void nmi_write(void);
