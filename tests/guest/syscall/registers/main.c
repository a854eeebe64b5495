/* SPDX-License-Identifier: MIT
 * The story: every register and flag that a program can set has a pattern when it makes a call, and afterwards those
 * that belong to the caller are as they were, RAX and RDX are the result, RCX and R11 are the call's own return address
 * and flags, and all others are 0: no value of the kernel or of another process comes out. So for calls that return at
 * once, are refused, block and are woken by this CPU, by another or by the timer, hand over to a server or are
 * preempted; without hooks, with two around each call, and refused by one. */
#include "handles.h"
#include "tests/guest/syscall/registers/registers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANY_VALUE UINT64_MAX
#define ADD_NUMBER 42

#define RFLAGS_FIXED 2u
#define RFLAGS_ARITHMETIC 0x8d5u /* CF PF AF ZF SF OF */
#define RFLAGS_IF 0x200u
#define RFLAGS_DF 0x400u
#define RFLAGS_NT 0x4000u
#define RFLAGS_AC 0x40000u
#define RFLAGS_ID 0x200000u
#define RFLAGS_OF_A_PROGRAM (RFLAGS_ARITHMETIC | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC | RFLAGS_ID)

struct call {
    const char *what;
    void (*function)(void);
    uint64_t arguments[6]; /* PATTERN: as other registers */
    uint64_t rax; /* status, and signals above it */
    uint64_t value;
    void (*prepare)(void);
};
#define PATTERN 0x5a5a000000000000
#define FUNCTION(name) ((void (*)(void))name)

static uint64_t word = 0x0123456789abcdef, answer, sleep_until;
static unsigned char buffer[64];

static void await_request(void)
{
    check_status("request", object_wait(HANDLE_ASKED, SIGNAL_READABLE, TIME_MAX).status, STATUS_OK);
    check_ok("request", channel_read(HANDLE_ASKED, 0, buffer, sizeof buffer), 8);
}

static void set_alarm(void)
{
    sleep_until = clock_now() + 200 * US;
}

#define ECHO(handle)                                                                                                   \
    {                                                                                                                  \
        handle, (uint64_t)&word, 8, (uint64_t)&answer, 8, TIME_MAX                                                     \
    }
#define P PATTERN
static const struct call calls[] = {
    {"nothing", FUNCTION(debug_nop), {P, P, P, P, P, P}, STATUS_OK, 0, NULL},
    {"clock", FUNCTION(debug_clock_now), {P, P, P, P, P, P}, STATUS_OK, ANY_VALUE, NULL},
    {"invalid", FUNCTION(debug_putc), {P, P, P, P, P, P}, STATUS_OUT_OF_RANGE, 0, NULL},
    {"no such handle", FUNCTION(object_wait), {P, P, P, P, P, P}, STATUS_OUT_OF_RANGE, 0, NULL},
    {"bad buffer", FUNCTION(debug_log), {P, 8, P, P, P, P}, STATUS_PERMISSION_DENIED, 0, NULL},
    {"empty log", FUNCTION(debug_log), {P, 0, P, P, P, P}, STATUS_OK, 0, NULL},
    {"statistics", FUNCTION(syscall_stats), {0, (uint64_t)buffer, 64, P, P, P}, STATUS_OK, 64, NULL},
    {"lookup", FUNCTION(syscall_lookup), {(uint64_t) "add", 3, P, P, P, P}, STATUS_OK, ADD_NUMBER, NULL},
    {"extension", FUNCTION(extension_call), {ADD_NUMBER, P, 5, P, P, P}, STATUS_OK, P + 5, NULL},
    {"no extension", FUNCTION(extension_call), {99, P, P, P, P, P}, STATUS_UNIMPLEMENTED, 0, NULL},
    {"yield", FUNCTION(thread_yield), {P, P, P, P, P, P}, STATUS_OK, 0, NULL},
    {"wait for what is there",
     FUNCTION(object_wait),
     {HANDLE_NEAR, SIGNAL_WRITEABLE, TIME_MAX, P, P, P},
     STATUS_OK | (uint64_t)SIGNAL_WRITEABLE << 32,
     0,
     NULL},
    {"poll", FUNCTION(object_wait), {HANDLE_NEAR, SIGNAL_NEVER, 0, P, P, P}, STATUS_DEADLINE_EXCEEDED, 0, NULL},
    {"sleep", FUNCTION(object_wait), {HANDLE_NEAR, SIGNAL_NEVER, 0, P, P, P}, STATUS_DEADLINE_EXCEEDED, 0, set_alarm},
    {"handoff", FUNCTION(channel_transact), ECHO(HANDLE_NEAR), STATUS_OK, 8, NULL},
    {"to a plain server", FUNCTION(channel_transact), ECHO(HANDLE_PLAIN), STATUS_OK, 8, NULL},
    {"to the other CPU, if there is one", FUNCTION(channel_transact), ECHO(HANDLE_FAR), STATUS_OK, 8, NULL},
    {"too late", FUNCTION(channel_transact), {HANDLE_NEAR, P, 0, P, 0, 0}, STATUS_DEADLINE_EXCEEDED, 0, NULL},
    {"read", FUNCTION(channel_read), {HANDLE_ASKED, 0, (uint64_t)buffer, 64, P, P}, STATUS_OK, 8, await_request},
    {"answer to someone more urgent",
     FUNCTION(channel_respond),
     {HANDLE_ASKED, (uint64_t)buffer, 8, P, P, P},
     STATUS_OK,
     0,
     NULL},
    {"answer and wait",
     FUNCTION(channel_respond_and_wait),
     {HANDLE_ASKED, (uint64_t)buffer, 8, (uint64_t)buffer, 64, TIME_MAX},
     STATUS_OK,
     8,
     await_request},
};
static const struct call locked = {
    "refused by a hook", FUNCTION(syscall_register), {P, P, P, P, P, P}, STATUS_PERMISSION_DENIED, 0, NULL};

/* A different pattern in each register, with the top bit set in every other one. */
static void fill(const struct call *c, uint64_t pattern, uint64_t flags)
{
    struct registers *r = &registers_before;
    uint64_t *const argument[] = {&r->rdi, &r->rsi, &r->rdx, &r->rcx, &r->r8, &r->r9};
    for (size_t i = 0; i < sizeof *r / 8; i++)
        ((uint64_t *)r)[i] = pattern * (2 * i + 1);
    for (size_t i = 0; i < 6; i++)
        *argument[i] = c->arguments[i] != PATTERN ? c->arguments[i] : *argument[i] | UINT64_C(1) << 62;
    if (c->prepare == set_alarm)
        r->rdx = sleep_until; /* known only now */
    r->rflags = RFLAGS_FIXED | RFLAGS_IF | flags;
}

static void expect(const struct call *c, const char *name, uint64_t got, uint64_t expected)
{
    if (got != expected)
        tern_failure(STATUS_INTERNAL, "%s: %s is %#lx, expected %#lx", c->what, name, got, expected);
}

static bool is_extension(const struct call *c)
{
    return c->function == FUNCTION(extension_call);
}

/* The instruction that made the call: in the function of the vDSO, or in the number's slot. */
static void check_origin(const struct call *c)
{
    uint64_t start = is_extension(c) ? USER_CALLS_BASE + c->arguments[0] * USER_CALL_BYTES : (uint64_t)c->function;
    uint64_t site = registers_after.rcx - start;
    if (site == 0 || site > 24)
        tern_failure(STATUS_INTERNAL, "%s: rcx is %#lx, not behind %#lx", c->what, registers_after.rcx, start);
}

/* SYSENTER does not keep them. extension_call counts before it enters the kernel. */
static void check_flags(const struct call *c)
{
    uint64_t before = registers_before.rflags, after = registers_after.rflags;
    if (features() & VVAR_FEATURE_SYSENTER)
        before = RFLAGS_FIXED | RFLAGS_IF;
    else if (is_extension(c))
        before &= ~(uint64_t)RFLAGS_ARITHMETIC, after &= ~(uint64_t)RFLAGS_ARITHMETIC;
    expect(c, "rflags", after, before);
    expect(c, "r11", registers_after.r11, registers_after.rflags);
}

static void check_result(const struct call *c)
{
    uint64_t value = c->value;
    if (is_extension(c) && c->rax == STATUS_OK)
        value = registers_before.rsi + registers_before.rdx;
    expect(c, "rax", registers_after.rax, c->rax);
    if (value != ANY_VALUE)
        expect(c, "rdx", registers_after.rdx, value);
}

static void try(const struct call *c, uint64_t pattern, uint64_t flags)
{
    if (c->prepare)
        c->prepare();
    fill(c, pattern, flags);
    registers_target = c->function;
    registers_call();
    const struct registers *b = &registers_before, *a = &registers_after;
    check_result(c);
    check_origin(c);
    check_flags(c);
    expect(c, "rsp", a->rsp, b->rsp);
    expect(c, "rbx", a->rbx, b->rbx);
    expect(c, "rbp", a->rbp, b->rbp);
    expect(c, "r12", a->r12, b->r12);
    expect(c, "r13", a->r13, b->r13);
    expect(c, "r14", a->r14, b->r14);
    expect(c, "r15", a->r15, b->r15);
    expect(c, "rsi", a->rsi, 0);
    expect(c, "rdi", a->rdi, 0);
    expect(c, "r8", a->r8, 0);
    expect(c, "r9", a->r9, 0);
    expect(c, "r10", a->r10, 0);
}

static void try_with_flags(const struct call *c, uint64_t pattern)
{
    try(c, pattern, 0);
    try(c, ~pattern, RFLAGS_OF_A_PROGRAM);
    for (uint64_t flag = 1; flag <= RFLAGS_ID; flag <<= 1)
        if (flag & RFLAGS_OF_A_PROGRAM)
            try(c, pattern + flag, flag);
}

static void try_all(void)
{
    for (uint64_t i = 0; i < COUNT(calls); i++) {
        /* The answer is made each time, to a request that was read. */
        bool answers = calls[i].function == FUNCTION(channel_respond);
        for (uint64_t k = 0; answers && k < 16; k++) {
            await_request();
            try(&calls[i], 0x9e3779b97f4a7c15 * (k + 1), k % 2 ? RFLAGS_OF_A_PROGRAM : 0);
        }
        if (!answers)
            try_with_flags(&calls[i], 0x9e3779b97f4a7c15 * (i + 1));
    }
}

static void hook(const char *name, uint64_t on)
{
    struct result r = syscall_hook(name, strlen(name), on);
    while (r.status == STATUS_UNAVAILABLE)
        r = syscall_hook(name, strlen(name), on);
    check_status(name, r.status, STATUS_OK);
}

int main(void)
{
    check_ok("register", syscall_register(ADD_NUMBER, "add", 3), 0);
    try_all();
    hook("audit", 1);
    hook("latency", 1);
    try_all();
    hook("lockdown", 1);
    try_with_flags(&locked, 0x123456789abcdef1);
    hook("lockdown", 0);
    hook("latency", 0);
    hook("audit", 0);
    try_all();
    tern_success();
}
