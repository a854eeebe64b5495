/* SPDX-License-Identifier: MIT
 * The user half of every address space. Processes are linked at distinct addresses, so an instruction pointer alone
 * names the process. Everything lies below 2 GiB: plain `call` reaches the vDSO from anywhere. Usable from assembly,
 * C, the linker (defsym) and the image generator, which reads this file. */
#ifndef TERN_ABI_LAYOUT_H
#define TERN_ABI_LAYOUT_H

#define USER_PAGE_SIZE 0x1000
#define USER_VVAR_BASE 0x00200000    /* one page, read-only: struct vvar of this process */
#define USER_VDSO_BASE 0x00201000    /* two pages, read/execute: the only legal system-call instructions */
#define USER_CALLS_BASE 0x00203000   /* behind them two pages, read/execute: one for each number without a name */
#define USER_CALLS 512               /* number i has its slot at USER_CALLS_BASE + i * USER_CALL_BYTES */
#define USER_CALL_SHIFT 4
#define USER_CALL_BYTES 16
#define USER_STEAL_BASE 0x00207000   /* one page, read-only: the time that the hypervisor took from each CPU (vvar.h) */
#define USER_PROCESS_BASE 0x01000000 /* process i is linked at USER_PROCESS_BASE + i * USER_PROCESS_STRIDE */
#define USER_PROCESS_STRIDE 0x01000000
#define USER_PROCESS_MAX 120
#define USER_HISTOGRAM_OFFSET 0x00800000 /* from the process's base: its histograms, then its mapped data */
#define USER_STACK_OFFSET 0x00c00000     /* its stacks, the main thread's first, an unmapped page below each */
#define USER_DEVICE_OFFSET 0x00e00000    /* its device memory */
#define USER_END 0x80000000 /* no user mapping at or above */

#endif
