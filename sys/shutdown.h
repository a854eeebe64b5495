/* SPDX-License-Identifier: MIT
 * The end of the machine. Logs and histograms are flushed first. Under QEMU the isa-debug-exit device turns the value
 * into the exit status 2 * value + 1; without that device the machine is powered off, reset, or halted, whatever works
 * first. */
#pragma once
#include <stdint.h>

enum shutdown_value {
    SHUTDOWN_SUCCESS = 0x10,    /* exit status 33 */
    SHUTDOWN_FAILURE = 0x11,    /* 35 */
    SHUTDOWN_PANIC = 0x12,      /* 37 */
    SHUTDOWN_BAD_CONFIG = 0x13, /* 39: command line or image refused */
};

/* Any CPU, any context. */
_Noreturn void shutdown_machine(enum shutdown_value value);

/* Other CPUs run from here on. Boot. */
void shutdown_others_exist(void);

/* For panic: the other CPUs halt, and this one may use every console. */
void shutdown_stop_others(void);
