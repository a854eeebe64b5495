/* SPDX-License-Identifier: MIT
 * Shared words, each access with its order in its name. Nothing else in the tree uses volatile or __atomic_*.
 * On x86 acquire and release cost nothing; exchange and compare-exchange are full barriers. Any context. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define xchg_acqrel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define fetch_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define fetch_or_acqrel(p, v) __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)
#define fetch_and_acqrel(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)

/* Replaces *p by desired if it is *expected; otherwise *expected gets what was found. */
#define cmpxchg_acqrel(p, expected, desired)                                                                           \
    __atomic_compare_exchange_n((p), (expected), (desired), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

/* Orders every earlier access before every later one, a store before a load included. */
#define fence_full() __atomic_thread_fence(__ATOMIC_SEQ_CST)

/* Keeps the compiler, not the CPU, from moving accesses across. */
#define compiler_barrier() __asm__ volatile("" ::: "memory")

/* load_relaxed(p) == 0, of 4 or 8 bytes, in one instruction that reads memory: gcc makes two of it. */
#define word_is_zero(p)                                                                                                \
    ({                                                                                                                 \
        bool is_zero;                                                                                                  \
        _Static_assert(sizeof(*(p)) == 4 || sizeof(*(p)) == 8, "a word");                                              \
        if (sizeof(*(p)) == 4)                                                                                         \
            __asm__ volatile("cmpl $0, %1" : "=@ccz"(is_zero) : "m"(*(p)));                                            \
        else                                                                                                           \
            __asm__ volatile("cmpq $0, %1" : "=@ccz"(is_zero) : "m"(*(p)));                                            \
        is_zero;                                                                                                       \
    })
