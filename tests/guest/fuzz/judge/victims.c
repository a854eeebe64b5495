/* SPDX-License-Identifier: MIT
 * Jumps of victims. Each victim gets orders until one ends it: a place to jump to and all registers. Most jumps end in
 * a fault or at a bad origin, which concerns nobody else. Some come to a legal call and back: then the victim's guard
 * words must be whole and its registers must hold nothing of the kernel's. Not drawn is what would end the machine by a
 * legal call, debug_shutdown, and its handles, so that a victim cannot block or answer by accident. */
#include "handles.h"
#include "judge.h"
#include "tests/guest/registers.h"
#include "tests/guest/fuzz/victim.h"

enum { FIRST_VICTIM = HANDLE_VICTIM_00, VICTIMS = HANDLE_VICTIM_LAST - HANDLE_VICTIM_00 + 1 };

#define ORDERS_MAX 16                         /* to one victim */
#define PATIENCE_NS (2 * UINT64_C(1000) * MS) /* it may have found a loop */
#define VDSO_BYTES (USER_CALLS_BASE - USER_VDSO_BASE + USER_CALLS * USER_CALL_BYTES)
#define EXTENSION_CALL_BYTES 64 /* the last function of the vDSO */
#define KERNEL_HALF 0xffff800000000000
#define STATUS_LAST STATUS_UNAUTHENTICATED

uint64_t victim_jumps, victim_returns;

static uint64_t order[REGISTERS], answer[VICTIM_ANSWER_BYTES / 8];
static uint64_t facts[REGISTERS];
static const uint64_t *const registers = answer + VICTIM_GUARD_WORDS;

/* False: the victim is no more. */
static bool give(uint32_t victim, uint64_t deadline_ns)
{
    struct result r =
        COUNTED(channel_transact)(FIRST_VICTIM + victim, order, sizeof order, answer, sizeof answer, deadline_ns);
    if (r.status == STATUS_UNAVAILABLE || r.status == STATUS_DEADLINE_EXCEEDED)
        return false;
    check_ok("victim", r, sizeof answer);
    return true;
}

/* An address in its playground, mostly: what it comes by on its way may read or write there. */
static uint64_t draw_value(void)
{
    switch (fuzz_below(8)) {
    case 0:
        return fuzz_below(40);
    case 1:
        return fuzz_extreme(fuzz_random());
    case 2:
        return facts[VICTIM_READ_ONLY] + fuzz_below(8 * VICTIM_GUARD_WORDS);
    default:
        return facts[VICTIM_PLAYGROUND] + fuzz_below(VICTIM_AIM_BYTES);
    }
}

/* SYSENTER tells the kernel no return address: what the process does is a call wherever it does it. */
static bool is_sysenter(void)
{
    return features() & VVAR_FEATURE_SYSENTER;
}

/* The instruction that enters the kernel for a number. */
static uint64_t entry_of(uint64_t number)
{
    static void (*const stubs[NUMBERS])(void) = {
#define DEFINE_SYSCALL(number, name, count, ...) [number] = (void (*)(void))name,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
    };
    uint64_t code = number < NUMBERS ? (uint64_t)stubs[number] : USER_CALLS_BASE + number * USER_CALL_BYTES;
    const unsigned char *byte = (const unsigned char *)code;
    while (byte[0] != 0x0f || (byte[1] != 0x05 && byte[1] != 0x34)) /* SYSCALL, SYSENTER */
        byte++;
    return (uint64_t)byte;
}

/* Where to, for a victim that has this number in RAX. *lawful: by that number a call from there is legal, as far as one
 * can tell: elsewhere than right at an instruction that enters the kernel one cannot. */
static uint64_t draw_place(uint64_t number, bool *lawful)
{
    uint64_t hidden = facts[VICTIM_HIDDEN], other;
    *lawful = true;
    switch (fuzz_below(16)) {
    case 0:
    case 1:
        return (uint64_t)debug_nop + fuzz_below((uint64_t)extension_call + EXTENSION_CALL_BYTES - (uint64_t)debug_nop);
    case 2:
        return USER_CALLS_BASE + fuzz_below(USER_CALLS * USER_CALL_BYTES);
    case 3:
        return hidden + fuzz_below(VICTIM_HIDDEN_BYTES);
    case 4:
        return fuzz_extreme(fuzz_random());
    case 5:
        *lawful = false;
        return hidden + 1;
    case 6:
    case 7:
    case 8:
        other = fuzz_below(fuzz_below(2) ? NUMBERS : USER_CALLS);
        *lawful = is_sysenter() ? number < USER_CALLS : number == other;
        return entry_of(other);
    case 9:
        return entry_of(number % USER_CALLS) - fuzz_below(8);
    default:
        *lawful = number < USER_CALLS;
        return entry_of(number % USER_CALLS);
    }
}

/* Leads to debug_shutdown: its stub, or the one before, from whose middle the way may be into it. Or only computes and
 * never enters the kernel, from clock_now on: from the middle of an instruction there the way may be over `and $37, %al`
 * to a store by RAX, which meets a guard word though RAX was aimed at the playground. */
static bool is_excluded(uint64_t place)
{
    return place + USER_CALL_BYTES - (uint64_t)debug_shutdown < 2 * USER_CALL_BYTES ||
           place - (uint64_t)clock_now < (uint64_t)extension_call - (uint64_t)clock_now;
}

/* Whether the jump may come back. */
static bool draw_order(void)
{
    bool lawful;
    for (int i = 0; i < REGISTER_GENERAL; i++)
        order[i] = draw_value();
    if (fuzz_below(8))
        order[REGISTER_RAX] = fuzz_below(fuzz_below(2) ? NUMBERS : USER_CALLS);
    if (order[REGISTER_RAX] == NUMBER_debug_shutdown)
        order[REGISTER_RAX] = 0;
    if (order[REGISTER_RDI] <= VICTIM_HANDLE_LAST)
        order[REGISTER_RDI] = VICTIM_HANDLE_LAST + 1;
    order[REGISTER_RSP] = fuzz_below(8) ? facts[VICTIM_STACK] : draw_value();
    order[REGISTER_R11] = fuzz_below(2) ? facts[VICTIM_STACK] : draw_value(); /* SYSENTER's way back */
    order[REGISTER_RFLAGS] = fuzz_random() & FREE_FLAGS;
    do
        order[REGISTER_RIP] = draw_place(order[REGISTER_RAX], &lawful);
    while (is_excluded(order[REGISTER_RIP]));
    return lawful;
}

static _Noreturn void fail(uint32_t victim, const char *what, uint64_t got)
{
    tern_log("fuzz: jump %lu to %#lx with rax %#lx rdi %#lx rsi %#lx rdx %#lx rcx %#lx rsp %#lx", victim_jumps,
             order[REGISTER_RIP], order[REGISTER_RAX], order[REGISTER_RDI], order[REGISTER_RSI], order[REGISTER_RDX],
             order[REGISTER_RCX], order[REGISTER_RSP]);
    tern_failure(STATUS_INTERNAL, "seed %lu, victim %u: %s: %#lx", fuzz_seed(), victim, what, got);
}

static void verify_guards(uint32_t victim)
{
    const uint64_t *second = registers + REGISTERS, *third = second + VICTIM_GUARD_WORDS + VICTIM_PLAYGROUND_WORDS;
    for (int i = 0; i < VICTIM_GUARD_WORDS; i++) {
        if (answer[i] != VICTIM_CANARY || second[i] != VICTIM_CANARY || third[i] != VICTIM_CANARY)
            fail(victim, "guard word", (uint64_t)i);
    }
}

/* An address of the kernel's that it was not given; the sum of two words that it was given is one that `add` makes. */
static bool is_leak(uint64_t value)
{
    if (value < KERNEL_HALF || value == order[REGISTER_RDI] + order[REGISTER_RSI])
        return false;
    for (int i = 0; i < REGISTERS; i++)
        if (value == order[i])
            return false;
    return true;
}

/* Whether it came back from the kernel: SYSRET leaves in RCX where to. */
static bool has_called(void)
{
    uint64_t rcx = registers[REGISTER_RCX];
    return rcx - USER_VDSO_BASE < VDSO_BYTES && rcx != order[REGISTER_RCX];
}

static void verify_return(uint32_t victim)
{
    static const uint8_t cleared[] = {REGISTER_RSI, REGISTER_RDI, REGISTER_R8, REGISTER_R9, REGISTER_R10};
    verify_guards(victim);
    for (int i = 0; i <= REGISTER_RSP; i++)
        if (is_leak(registers[i]))
            fail(victim, "a register with a kernel address", registers[i]);
    if (!has_called())
        return;
    if ((uint32_t)registers[REGISTER_RAX] > STATUS_LAST)
        fail(victim, "status", registers[REGISTER_RAX]);
    for (size_t i = 0; i < sizeof cleared; i++)
        if (registers[cleared[i]])
            fail(victim, "a register that is not cleared", registers[cleared[i]]);
}

/* Learns where things are in a victim. */
static void greet(uint32_t victim)
{
    memset(order, 0, sizeof order);
    check_u64("a victim answers a greeting", give(victim, TIME_MAX), true);
    verify_guards(victim);
    memcpy(facts, registers, sizeof facts);
}

bool victims_step(void)
{
    static uint32_t victim, orders;
    if (victim == VICTIMS)
        return false;
    if (orders == 0)
        greet(victim);
    bool lawful = draw_order(), returns = give(victim, clock_now() + PATIENCE_NS);
    victim_jumps++;
    if (returns) {
        victim_returns++;
        if (!lawful)
            fail(victim, "it came back from a wrong origin", order[REGISTER_RIP]);
        verify_return(victim);
    }
    orders = returns && orders < ORDERS_MAX ? orders + 1 : 0;
    victim += orders == 0;
    return true;
}
