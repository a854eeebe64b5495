/* SPDX-License-Identifier: MIT
 * What a victim tells the judge, for C and assembly: guard words, its registers (at first: the facts), guard words, a
 * playground that calls may read and write, guard words. */
#pragma once
#include "tests/guest/registers.h"

#define VICTIM_HANDLE_LAST 1 /* the judge's channel, the process itself */
#define VICTIM_CANARY 0x5ca1ab1e0ddba115
#define VICTIM_GUARD_WORDS 8

/* What is aimed at, and so much more as the longest call writes, struct syscall_stats. */
#define VICTIM_AIM_BYTES 128
#define VICTIM_PLAYGROUND_WORDS 24

#define VICTIM_STACK_WORDS 128
#define VICTIM_HIDDEN_BYTES 80
#define VICTIM_REGISTERS (8 * VICTIM_GUARD_WORDS)
#define VICTIM_ANSWER_BYTES (8 * (3 * VICTIM_GUARD_WORDS + REGISTERS + VICTIM_PLAYGROUND_WORDS))

/* The facts, in place of registers. */
#define VICTIM_HIDDEN 0     /* address of its hidden SYSCALLs */
#define VICTIM_STACK 1      /* middle of a stack full of ways back */
#define VICTIM_PLAYGROUND 2 /* address of its playground */
#define VICTIM_READ_ONLY 3  /* address of some of its read-only data */
