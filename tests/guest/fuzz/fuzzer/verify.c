/* SPDX-License-Identifier: MIT
 * What must hold after any call, whatever it was. */
#include "sys/abi/event.h"
#include "tests/guest/fuzz/fuzzer/fuzzer.h"

#define STATUS_LAST STATUS_UNAUTHENTICATED
#define VDSO_BYTES (USER_CALLS_BASE - USER_VDSO_BASE + USER_CALLS * USER_CALL_BYTES)

static const char *name_of(uint64_t number)
{
    static const char *const names[NUMBERS] = {
#define DEFINE_SYSCALL(number, name, ...) [number] = #name,
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
    };
    return number < NUMBERS ? names[number] : "extension_call";
}

static _Noreturn void fail(const struct random_call *c, uint64_t index, const char *what, uint64_t got,
                           uint64_t expected)
{
    const uint64_t *a = c->a;
    tern_log("fuzz: call %lu of this round: %lu %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) = %#lx, %#lx", index, c->number,
             name_of(c->number), a[0], a[1], a[2], a[3], a[4], a[5], fuzz_after[REGISTER_RAX],
             fuzz_after[REGISTER_RDX]);
    tern_failure(STATUS_INTERNAL, "seed %lu, process %u: %s: %#lx, expected %#lx", fuzz_seed(), tern_vvar()->process,
                 what, got, expected);
}

static void verify_registers(const struct random_call *c, uint64_t index)
{
    static const struct {
        const char *name;
        uint8_t at;
        bool kept;
    } registers[] = {{"RBX", REGISTER_RBX, true},  {"RBP", REGISTER_RBP, true},  {"R12", REGISTER_R12, true},
                     {"R13", REGISTER_R13, true},  {"R14", REGISTER_R14, true},  {"R15", REGISTER_R15, true},
                     {"RSI", REGISTER_RSI, false}, {"RDI", REGISTER_RDI, false}, {"R8", REGISTER_R8, false},
                     {"R9", REGISTER_R9, false},   {"R10", REGISTER_R10, false}};
    for (uint32_t i = 0; i < sizeof registers / sizeof registers[0]; i++) {
        uint64_t expected = registers[i].kept ? fuzz_before[registers[i].at] : 0;
        if (fuzz_after[registers[i].at] != expected)
            fail(c, index, registers[i].name, fuzz_after[registers[i].at], expected);
    }
    uint64_t rsp = fuzz_before[REGISTER_RSP] - 8; /* the seventh argument is still there */
    if (fuzz_after[REGISTER_RSP] != rsp)
        fail(c, index, "RSP", fuzz_after[REGISTER_RSP], rsp);
}

/* SYSCALL gives flags back, SYSENTER loses them. On the way to the kernel a stub may calculate. */
static void verify_flags(const struct random_call *c, uint64_t index)
{
    uint64_t mask = c->number < NUMBERS ? FREE_FLAGS : STICKY_FLAGS;
    uint64_t expected = features() & VVAR_FEATURE_SYSENTER ? 0 : fuzz_before[REGISTER_RFLAGS] & mask;
    uint64_t got = fuzz_after[REGISTER_RFLAGS] & mask;
    if (got != expected)
        fail(c, index, "RFLAGS", got, expected);
    if (fuzz_after[REGISTER_R11] != fuzz_after[REGISTER_RFLAGS])
        fail(c, index, "R11, which SYSRET leaves", fuzz_after[REGISTER_R11], fuzz_after[REGISTER_RFLAGS]);
    if (fuzz_after[REGISTER_RCX] - USER_VDSO_BASE >= VDSO_BYTES)
        fail(c, index, "RCX, which SYSRET leaves", fuzz_after[REGISTER_RCX], USER_VDSO_BASE);
}

static bool is_group(const struct random_call *c)
{
    return c->number == NUMBER_channel_respond_and_wait && object_type(c->a[0]) == IMAGE_OBJECT_WAIT_GROUP;
}

/* While `lockdown` is on, it comes before the look at the arguments. */
static bool is_locked(const struct random_call *c, uint64_t status)
{
    return (c->number == NUMBER_syscall_register || c->number == NUMBER_syscall_unregister) &&
           status == STATUS_PERMISSION_DENIED;
}

static void verify_result(const struct random_call *c, uint64_t index)
{
    uint64_t status = (uint32_t)fuzz_after[REGISTER_RAX], signals = fuzz_after[REGISTER_RAX] >> 32;
    if (status > STATUS_LAST)
        fail(c, index, "status", status, STATUS_LAST);
    if (status && fuzz_after[REGISTER_RDX])
        fail(c, index, "value with an error", fuzz_after[REGISTER_RDX], 0);
    if (signals && (status || (c->number != NUMBER_object_wait && !is_group(c))))
        fail(c, index, "signals", signals, 0);
    if (c->refusal && status != c->refusal && !is_locked(c, status))
        fail(c, index, "status of a call with a wrong argument", status, c->refusal);
    fuzz_report.ok[c->number < NUMBERS ? c->number : NUMBERS] += !status;
}

/* Between CPUs a request is copied first, and then asked for whether it is still wanted; if not, the call ends or goes
 * on as if nothing had come, but the buffer has been written (user/rt/tern.h). */
static bool may_have_been_withdrawn(const struct random_call *c, uint64_t status)
{
    if (tern_vvar()->cpu_count == 1)
        return false;
    if (c->number == NUMBER_channel_read)
        return status == STATUS_UNAVAILABLE;
    return c->number == NUMBER_channel_respond_and_wait &&
           (status == STATUS_OK || status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE_EXCEEDED ||
            status == STATUS_INVALID_ARGUMENT);
}

/* Of a call that went well as many bytes as it says; of another none. */
static uint64_t bytes_written(const struct random_call *c)
{
    uint64_t status = (uint32_t)fuzz_after[REGISTER_RAX];
    uint32_t signals = (uint32_t)(fuzz_after[REGISTER_RAX] >> 32);
    if (may_have_been_withdrawn(c, status) && !c->refusal)
        return UINT64_MAX;
    if (status)
        return 0;
    if (is_group(c))
        return signals & RESULT_REQUEST ? signals & ~RESULT_REQUEST : 0;
    if (c->number == NUMBER_event_read)
        return (uint32_t)fuzz_after[REGISTER_RDX] * sizeof(struct event);
    if (c->number == NUMBER_debug_measure)
        return fuzz_after[REGISTER_RDX] * sizeof(uint64_t);
    return fuzz_after[REGISTER_RDX];
}

void verify_call(const struct random_call *c, uint64_t index)
{
    uint64_t expected, got;
    verify_registers(c, index);
    verify_flags(c, index);
    verify_result(c, index);
    if (!outputs_are_sound(c, bytes_written(c), &expected, &got))
        fail(c, index, "memory that was not written", got, expected);
}
