/* SPDX-License-Identifier: MIT
 * Life and death of processes and threads. When a process stops, its threads run no more, the other end of each of its
 * channels learns of it now, and once the CPUs of all these have answered (process_quiet) its supervisor may join it
 * and start it again. Its memory stays (nothing is freed after boot) and is loaded anew then. When the last process of
 * the whole machine has ended, the machine stops. Home CPU, unless it says otherwise. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sched/process.h"

/* If the current thread is one of the process's, the caller must call sched_block next. */
void process_stop(struct process *p, const struct exit_status *end);

/* As process_stop with TERMINATED, of a process that may have ended already, or is on its way to run. */
void process_terminate(struct process *p);

/* One more process will run, and the machine goes on for it. Before process_start; any CPU. */
void process_count_up(void);

/* A stopped and quiet process begins again: its memory is loaded in bounded steps (sys/load.h), then it runs. */
void process_start(struct process *p);

/* From sys/load.c: the memory is as at boot. False: the process cannot run yet, ask again. */
bool process_loaded(struct process *p);

/* Tells the bus that it runs. */
void process_publish_created(const struct process *p);

/* How many processes there are; boot, once. */
void process_set_count(uint32_t count);

/* A thread that is stopped gets fresh registers: it will begin at `entry`, with RSP at its stack's top. */
void thread_prepare(struct thread *t, uint64_t entry, uint64_t a0, uint64_t a1);

/* The same, and it is ready. */
void thread_begin(struct thread *t, uint64_t entry, uint64_t a0, uint64_t a1);

/* A thread that runs or is blocked ends; the process with it if it was the last. If it is the current one, the caller
 * must call sched_block next. */
void thread_end(struct thread *t, const struct exit_status *end);
