/* SPDX-License-Identifier: MIT
 * Numbers of the architecture that both assembly and C need: control-register bits, MSRs, selectors, vectors. */
#pragma once

#define CR0_PE (1 << 0)
#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_TS (1 << 3)
#define CR0_NE (1 << 5)
#define CR0_WP (1 << 16)
#define CR0_PG 0x80000000

#define CR4_PAE (1 << 5)
#define CR4_MCE (1 << 6)
#define CR4_PGE (1 << 7)
#define CR4_UMIP (1 << 11)
#define CR4_PCIDE (1 << 17)
#define CR4_SMEP (1 << 20)
#define CR4_SMAP (1 << 21)

#define MSR_APIC_BASE 0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_SFMASK 0xc0000084
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102

#define EFER_SCE (1 << 0)
#define EFER_LME (1 << 8)
#define EFER_LMA (1 << 10)
#define EFER_NXE (1 << 11)

/* SYSRET takes SS from STAR[63:48] + 8 and CS from + 16, hence the order. */
#define SEL_KERNEL_CODE 0x08
#define SEL_KERNEL_DATA 0x10
#define SEL_USER_DATA 0x1b
#define SEL_USER_CODE 0x23
#define SEL_TSS 0x28
#define STAR_VALUE ((UINT64_C(0x10) << 48) | (UINT64_C(0x08) << 32))

#define RFLAGS_TF 0x100
#define RFLAGS_IF 0x200
#define RFLAGS_FIXED 0x2
/* What SYSCALL clears: TF, IF, DF, IOPL, NT, RF, AC. */
#define SYSCALL_FLAG_MASK 0x57700

/* Where the return address of a call lies: behind MOV number, EAX and SYSCALL in a number's slot; three bytes further on
 * with SYSENTER, because of MOV RSP, R11 (sys/vdso/vdso.c). */
#define USER_CALL_SITE (USER_CALLS_BASE + 7)
#define SYSENTER_SITE_SHIFT 3

/* Flags of a thread after SYSENTER, which does not keep them: IF. */
#define USER_RFLAGS (RFLAGS_FIXED | RFLAGS_IF)

#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
/* Lines of IO-APICs: level-triggered ones have the lowest class of vectors to themselves (sys/line.h). */
#define VECTOR_LINE_FIRST 0x30
#define VECTOR_EDGE_FIRST 0x40
#define VECTOR_LINE_END 0xf0
/* The timer beats wake-ups, which other CPUs can send without end. */
#define VECTOR_TIMER 0xf1
#define VECTOR_WAKE 0xf0
#define VECTOR_STOP 0xf2
#define VECTOR_UPCALL 0xf3 /* Xen's event channels: timer, wake-ups, devices */
#define VECTOR_SPURIOUS 0xff

/* Interrupt stack table slots. */
#define IST_NMI 1
#define IST_DOUBLE_FAULT 2
#define IST_DEBUG 3
#define IST_MACHINE_CHECK 4
