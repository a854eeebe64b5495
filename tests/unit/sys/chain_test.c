/* SPDX-License-Identifier: MIT
 * Chains of calls: honest ones, and those of a process that lies in its RBP. Whatever it says, nothing outside its
 * regions is read (ASan sees to that), and the walk ends. */
#include "sys/chain.h"

#include <criterion/criterion.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */
#include <criterion/new/assert.h>
#include <string.h>
#include "sys/abi/layout.h"
#include "tests/unit/sys/toy_process.h"

#define KERNEL_TEXT UINT64_C(0xffffffff80200000)

static void put(uint64_t address, uint64_t rbp, uint64_t caller)
{
    uint64_t words[2] = {rbp, caller};
    memcpy(toy_stack + (address - TOY_STACK_AT), words, sizeof(words));
}

static struct chain walk(uint64_t rip, uint64_t rsp, uint64_t rbp)
{
    struct chain c = {0};
    struct place at = {rip, rsp, rbp};
    chain_user(&c, &toy, &at);
    return c;
}

Test(chain, frames_of_a_process)
{
    toy_create();
    put(TOY_STACK_AT + 64, TOY_STACK_AT + 128, TOY_TEXT_AT + 10);
    put(TOY_STACK_AT + 128, 0, TOY_TEXT_AT + 20);
    struct chain c = walk(TOY_TEXT_AT + 5, TOY_STACK_AT + 32, TOY_STACK_AT + 64);
    cr_assert(c.count == 3 && c.frames[1] == TOY_TEXT_AT + 10 && c.frames[2] == TOY_TEXT_AT + 20 && !c.cut);
}

Test(chain, caller_of_the_vdso)
{
    toy_create();
    put(TOY_STACK_AT + 32, TOY_TEXT_AT + 7, 0);
    struct chain c = walk(USER_VDSO_BASE + 8, TOY_STACK_AT + 32, 0);
    cr_assert(c.count == 2 && c.frames[1] == TOY_TEXT_AT + 7);
}

Test(chain, hostile_frames)
{
    static const uint64_t rbps[] = {1,
                                    7,
                                    UINT64_MAX,
                                    UINT64_MAX - 7,
                                    TOY_STACK_END - 8,
                                    TOY_STACK_END,
                                    TOY_STACK_AT - 8,
                                    UINT64_C(1) << 63,
                                    KERNEL_TEXT + 64,
                                    TOY_STACK_AT + 65};
    toy_create();
    for (size_t i = 0; i < sizeof(rbps) / sizeof(rbps[0]); i++)
        cr_assert(walk(TOY_TEXT_AT + 5, rbps[i], rbps[i]).count == 1, "row %zu", i);
    put(TOY_STACK_AT + 64, TOY_STACK_AT + 64, TOY_TEXT_AT + 9); /* its own caller */
    cr_assert(walk(TOY_TEXT_AT + 5, TOY_STACK_AT, TOY_STACK_AT + 64).count == 2);
    put(TOY_STACK_AT + 64, 0, KERNEL_TEXT + 8); /* a return into the kernel */
    cr_assert(walk(TOY_TEXT_AT + 5, TOY_STACK_AT, TOY_STACK_AT + 64).count == 1);
    cr_assert(walk(0, 0, 0).count == 0 && walk(KERNEL_TEXT, 0, 0).count == 0);
}

Test(chain, too_long)
{
    toy_create();
    for (uint64_t i = 0; i < 100; i++)
        put(TOY_STACK_AT + 16 * i, TOY_STACK_AT + 16 * (i + 1), TOY_TEXT_AT + 9);
    struct chain c = walk(TOY_TEXT_AT + 5, TOY_STACK_AT, TOY_STACK_AT);
    cr_assert(c.count == PROFILE_FRAMES_MAX && c.cut);
}

Test(chain, way_in)
{
    struct chain c = {0};
    chain_entry(&c, KERNEL_TEXT + 4);
    chain_entry(&c, KERNEL_TEXT + 4);
    cr_assert(c.count == 1, "its frames led there already");
    c.count = PROFILE_FRAMES_MAX;
    chain_entry(&c, KERNEL_TEXT + 8);
    cr_assert(c.count == PROFILE_FRAMES_MAX && c.cut);
}
