/* SPDX-License-Identifier: MIT
 * One system call with known values in all registers, and what it left in them. The name of the way that the call takes
 * is in R15 when it enters the kernel, as text: by that ci/entry_tests.py knows what it steps through. */
#pragma once

/* What the other registers that a call keeps hold. RBP is an address of the kernel where nothing is: a backtrace that
 * begins there must not end the kernel. */
#define ENTRY_RBX 0x1b1b1b1b1b1b1b1b
#define ENTRY_RBP 0xffffffffffffe000
#define ENTRY_R12 0x1212121212121212
#define ENTRY_R13 0x1313131313131313
#define ENTRY_R14 0x8000000000000014

/* Flags when it is made: AC, NT, DF, IF, CF and the bit that is always set. The first three are what the kernel must
 * not run with. */
#define ENTRY_RFLAGS 0x44603
#define ENTRY_STATUS_FLAGS 0x8d5 /* that instructions change */
