/* SPDX-License-Identifier: MIT
 * How system calls enter the kernel: by which instruction, and whether hooks see them. Which code runs is a register of
 * each CPU (LSTAR, SYSENTER_EIP), so a CPU without hooks pays nothing for them, and no code is ever rewritten. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum entry_instruction { ENTRY_AUTO, ENTRY_SYSCALL, ENTRY_SYSENTER };

/* Boot CPU, once, before other CPUs and processes start. AUTO is SYSCALL. False: this CPU has no SYSENTER in 64-bit
 * mode (Intel's have), and nothing is changed. */
bool entry_choose(enum entry_instruction instruction);
bool entry_is_sysenter(void);

/* The address is one of SYSENTER's entries, which begins with the user's flags. */
bool entry_is_inside(uint64_t address);

/* The address is on the way in or out of a call or out to an interrupted thread, where RSP and RBP are the user's or
 * point to what is no stack. */
bool entry_is_passage(uint64_t address);

/* The address is on a way in, before the current thread's registers are in struct thread. */
bool entry_is_unsaved(uint64_t address);

/* This CPU's calls enter through the hooks from now on, or do not. The caller is not in a call that began in the other
 * way, or is ready for its end. */
void entry_set_hooked(bool hooked);
