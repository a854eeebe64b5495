/* SPDX-License-Identifier: MIT
 * The end of the machine. In an orderly one all CPUs come to rest, and a census (sys/census.h) whose outcome is bad
 * makes a failure of a success. Logs and histograms are flushed. Under QEMU the isa-debug-exit device turns the value
 * into the exit status 2 * value + 1; without that device the machine is powered off, reset, or halted, whatever works
 * first. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "arch/x86_64/power.h"

/* Any CPU, any context. */
_Noreturn void shutdown_machine(enum shutdown_value value);

/* Whoever runs the machine wants it to end (`xl shutdown`): processes are told by EVENT_SHUTDOWN and have this long,
 * then it is an orderly success. Once; later calls change nothing. Boot CPU. */
void shutdown_soon(uint64_t grace_ns);
bool shutdown_is_near(void);

/* CPUs 0 to cpus - 1 run from here on. Boot. */
void shutdown_others_exist(uint32_t cpus);

/* For panic: the other CPUs halt, and this one may use every console. */
void shutdown_stop_others(void);
