/* SPDX-License-Identifier: MIT
 * How a process or a thread ended: what task_join writes. */
#ifndef TERN_ABI_EXIT_STATUS_H
#define TERN_ABI_EXIT_STATUS_H
#include <stdint.h>

enum exit_kind {
    EXIT_CODE = 1,       /* it said so: process_exit, thread_exit, the last thread's code; see `code` */
    EXIT_EXCEPTION = 2,  /* it did something forbidden: `exception`, `error`, `address`, `pc` */
    EXIT_TERMINATED = 3, /* task_terminate */
    EXIT_BAD_ORIGIN = 4, /* a system call from outside the vDSO: `pc` is its return address, `error` its number */
    EXIT_PROCESS = 5,    /* thread only: its process ended */
};

struct exit_status {
    uint32_t kind; /* enum exit_kind */
    int32_t code;
    uint32_t exception; /* vector, e.g. 14 page fault */
    uint32_t error;     /* the CPU's error code */
    uint64_t address;   /* of a page fault */
    uint64_t pc;
};

#endif
