/* SPDX-License-Identifier: MIT
 * What must hold after any call, whatever it was. */
#include "tests/guest/fuzz/fuzzer/fuzzer.h"

#define STATUS_LAST STATUS_UNAUTHENTICATED
#define GUARD_WORDS 8

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
    if (fuzz_after[REGISTER_RCX] - USER_VDSO_BASE >= 4 * USER_PAGE_SIZE)
        fail(c, index, "RCX, which SYSRET leaves", fuzz_after[REGISTER_RCX], USER_VDSO_BASE);
}

static bool gives_signals(const struct random_call *c)
{
    return c->number == NUMBER_object_wait || c->number == NUMBER_channel_respond_and_wait;
}

static void verify_result(const struct random_call *c, uint64_t index)
{
    uint64_t status = (uint32_t)fuzz_after[REGISTER_RAX], value = fuzz_after[REGISTER_RDX];
    if (status > STATUS_LAST)
        fail(c, index, "status", status, STATUS_LAST);
    if (fuzz_after[REGISTER_RAX] != status && !gives_signals(c))
        fail(c, index, "signals", fuzz_after[REGISTER_RAX], status);
    if (status && value)
        fail(c, index, "value with an error", value, 0);
    if (c->refusal && status != c->refusal)
        fail(c, index, "status of a call with a wrong argument", status, c->refusal);
    if (!status && c->number >= NUMBERS && value != c->a[0] + c->a[1]) /* `add` is all that has a number then */
        fail(c, index, "sum", value, c->a[0] + c->a[1]);
    fuzz_report.ok[c->number < NUMBERS ? c->number : NUMBERS] += !status;
}

/* Between CPUs a request is copied first, and then asked for whether it is still wanted; if not, the call ends or goes
 * on as if nothing had come, but the buffer has been written (ipc/endpoint.c, read_remote and endpoint_deliver). */
static bool may_have_been_withdrawn(const struct random_call *c)
{
    uint64_t status = (uint32_t)fuzz_after[REGISTER_RAX];
    if (tern_vvar()->cpu_count == 1)
        return false;
    if (c->number == NUMBER_channel_read)
        return status == STATUS_UNAVAILABLE;
    return c->number == NUMBER_channel_respond_and_wait &&
           (status == STATUS_OK || status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE_EXCEEDED);
}

/* Of a call that went well as many bytes as it says; of another none. A wait group says who sent the request, and how
 * long it is beside the status. */
static uint64_t bytes_written(const struct random_call *c)
{
    uint64_t value = fuzz_after[REGISTER_RDX];
    if (may_have_been_withdrawn(c))
        return c->bytes;
    if ((uint32_t)fuzz_after[REGISTER_RAX])
        return 0;
    if (fuzz_after[REGISTER_RAX])
        value = (fuzz_after[REGISTER_RAX] >> 32) & ~RESULT_REQUEST;
    return value < c->bytes ? value : c->bytes;
}

/* The buffer and its neighbours hold what they held, but for what was written, which is wiped out. */
static void verify_arena(const struct random_call *c, uint64_t index)
{
    uint64_t start = (c->out - (uint64_t)arena) / 8, end = (c->out - (uint64_t)arena + c->bytes + 7) / 8;
    char *p = (char *)c->out;
    for (uint64_t i = bytes_written(c); i > 0; i--, p++)
        *p = (char)(arena_word >> ((uint64_t)p & 7) * 8);
    start = start > GUARD_WORDS ? start - GUARD_WORDS : 0;
    end = end + GUARD_WORDS < ARENA_WORDS ? end + GUARD_WORDS : ARENA_WORDS;
    for (uint64_t i = start; i < end; i++)
        if (arena[i] != arena_word)
            fail(c, index, "memory that was not written", arena[i], arena_word);
}

void verify_call(const struct random_call *c, uint64_t index)
{
    verify_registers(c, index);
    verify_flags(c, index);
    verify_result(c, index);
    if (c->has_out)
        verify_arena(c, index);
    uint64_t i = index % (READ_ONLY_WORDS - GUARD_WORDS);
    for (uint64_t end = i + GUARD_WORDS; i < end; i++)
        if (read_only[i] != READ_ONLY_WORD)
            fail(c, index, "read-only memory", read_only[i], READ_ONLY_WORD);
}

static uint64_t text_sum(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < TEXT_BYTES; i++)
        sum = sum * 31 + (unsigned char)text[i];
    return sum;
}

void verify_all(void)
{
    static uint64_t text_is;
    if (!text_is)
        text_is = text_sum();
    check_u64("text", text_sum(), text_is);
    for (uint32_t i = 0; i < ARENA_WORDS; i++)
        check_u64("word of the arena", arena[i], arena_word);
    for (uint32_t i = 0; i < READ_ONLY_WORDS; i++)
        check_u64("word of read-only memory", read_only[i], READ_ONLY_WORD);
}
