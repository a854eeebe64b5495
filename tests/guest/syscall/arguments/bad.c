/* SPDX-License-Identifier: MIT
 * What is refused. Each try starts from registers that are all good and spoils one argument. */
#include "tests/guest/syscall/arguments/arguments.h"

#define NON_CANONICAL (UINT64_C(1) << 63)
#define DIRECT_MAP UINT64_C(0xffff800000000000)
#define KERNEL UINT64_C(0xffffffff80200000)
#define B32 (UINT64_C(1) << 32)
#define B63 (UINT64_C(1) << 63)

/* What must not change, and its checksum. */
static struct watched {
    const char *what;
    uint64_t address, bytes, sum;
} watched[9];
static size_t watched_count;

static uint64_t checksum(uint64_t address, uint64_t bytes)
{
    uint64_t sum = 0;
    for (const uint64_t *w = (const uint64_t *)address; w < (const uint64_t *)(address + bytes); w++)
        sum = (sum ^ *w) * 0x9e3779b97f4a7c15;
    return sum;
}

static void watch(const char *what, uint64_t address, uint64_t end)
{
    watched[watched_count++] = (struct watched){what, address, end - address, checksum(address, end - address)};
}

/* Everything but what this program itself needs to write. */
static void watch_all(void)
{
    extern unsigned char tern_end[];
    uint64_t free_data = ((uint64_t)tern_end + 7) & ~UINT64_C(7);
    memset(area, UNTOUCHED, sizeof area);
    memset((void *)free_data, UNTOUCHED, memory.data_end - free_data);
    memset((void *)memory.stack, UNTOUCHED, USER_PAGE_SIZE);
    watch("the program", memory.base, memory.constants_end);
    watch("the buffer", (uint64_t)area, (uint64_t)area + sizeof area);
    watch("the end of the data", free_data, memory.data_end);
    watch("the end of the histogram", memory.histogram_end - USER_PAGE_SIZE, memory.histogram_end);
    watch("the stack's lowest page", memory.stack, memory.stack + USER_PAGE_SIZE);
    watch("vvar", USER_VVAR_BASE, USER_VVAR_BASE + USER_PAGE_SIZE);
    watch("the vDSO", USER_VDSO_BASE, USER_CALLS_BASE + USER_CALLS * USER_CALL_BYTES);
}

static void check_nothing_has_changed(const struct call *c, const char *how)
{
    for (size_t i = 0; i < watched_count; i++)
        if (checksum(watched[i].address, watched[i].bytes) != watched[i].sum)
            tern_failure(STATUS_INTERNAL, "%s, %s: %s has changed", c->name, how, watched[i].what);
}

/* To spoil one of. A call that is not refused as it should comes back at once. */
static void registers(const struct call *c, uint64_t a[ARGUMENTS])
{
    good_arguments(c, a);
    for (uint32_t i = 0; i < c->count; i++)
        if (c->arguments[i].kind == KIND_DEADLINE)
            a[i] = 0;
}

static void try(const struct call *c, const uint64_t a[ARGUMENTS], uint32_t spoilt, const char *how,
                enum status expected)
{
    struct result r = call_make(c, a);
    if (r.status != expected)
        tern_failure(STATUS_INTERNAL, "%s, %s is %s: %s, expected %s", c->name, c->arguments[spoilt].name, how,
                     tern_status_name(r.status), tern_status_name(expected));
    check_nothing_has_changed(c, how);
}

/* A buffer; `readable`: only as an output buffer is it bad. */
struct bad {
    const char *what;
    uint64_t address, bytes;
    bool readable;
};

static void try_bad_buffer(const struct call *c, uint32_t i, const struct bad *b)
{
    const struct argument *d = &c->arguments[i];
    uint64_t a[ARGUMENTS];
    if ((b->readable && d->kind != KIND_OUT) || (!b->address && d->kind == KIND_IN_OR_NULL))
        return;
    registers(c, a);
    a[i] = b->address;
    a[i + 1] = b->bytes;
    enum status expected = b->address ? STATUS_PERMISSION_DENIED : STATUS_INVALID_ARGUMENT;
    if ((d->most != NO_LIMIT && b->bytes > d->most) ||
        (d->pieces && (int64_t)b->bytes < 0 && -b->bytes > USER_PIECES_MAX))
        expected = STATUS_OUT_OF_RANGE;
    try(c, a, i, b->what, expected);
}

static bool is_buffer(const struct argument *d)
{
    return d->kind == KIND_IN || d->kind == KIND_OUT || d->kind == KIND_IN_OR_NULL;
}

/* For every buffer of every call. */
static void try_everywhere(const struct bad *bad, size_t n)
{
    uint32_t tried = 0;
    for (const struct call *c = calls; c < calls + call_count; c++)
        for (uint32_t i = 0; i < c->count; i++)
            for (size_t k = 0; is_buffer(&c->arguments[i]) && k < n; k++, tried++)
                try_bad_buffer(c, i, &bad[k]);
    check_at_least("buffers tried", tried, 10 * n);
}
#define TRY_EVERYWHERE(bad) try_everywhere(bad, sizeof(bad) / sizeof((bad)[0]))

static void try_elsewhere(void)
{
    const uint64_t next_process = memory.base + USER_PROCESS_STRIDE, data = (uint64_t)area;
    const struct bad bad[] = {
        {"null", 0, 1, false},
        {"null and 8 bytes", 0, 8, false},
        {"just behind null", 1, 1, false},
        {"unmapped", 0x10000, 8, false},
        {"the kernel", KERNEL, 8, false},
        {"the direct map", DIRECT_MAP, 8, false},
        {"a device", 0xffffc00000000000, 4, false},
        {"a kernel stack", 0xffffd00000000000 + USER_PAGE_SIZE, 8, false},
        {"the last byte there is", UINT64_MAX, 1, false},
        {"non-canonical", NON_CANONICAL, 8, false},
        {"non-canonical with a good rest", NON_CANONICAL | data, 8, false},
        {"the first non-canonical byte", UINT64_C(1) << 47, 1, false},
        {"into non-canonical", (UINT64_C(1) << 47) - 1, 2, false},
        {"2^32 and a good rest", B32 | data, 8, false},
        {"the end of user memory", USER_END - 1, 2, false},
        {"another process", next_process, 8, false},
        {"into vvar", USER_VVAR_BASE - 1, 2, false},
        {"vvar", USER_VVAR_BASE, 8, false},
        {"from vvar into the vDSO", USER_VDSO_BASE - 1, 2, false},
        {"the vDSO", USER_VDSO_BASE, 8, false},
        {"a slot", USER_CALLS_BASE + 42 * USER_CALL_BYTES, USER_CALL_BYTES, false},
        {"the last slot", USER_CALLS_BASE + USER_CALLS * USER_CALL_BYTES - 1, 1, false},
    };
    TRY_EVERYWHERE(bad);
}

static void try_across_ends(void)
{
    const struct bad bad[] = {
        {"into the text", memory.base - 1, 2, false},
        {"from text into constants", memory.text_end - 1, 2, false},
        {"from constants into data", memory.constants_end - 1, 2, false},
        {"across the data's end", memory.data_end - 1, 2, false},
        {"8 bytes across the data's end", memory.data_end - 7, 8, false},
        {"behind the data", memory.data_end, 1, false},
        {"into the histogram", memory.base + USER_HISTOGRAM_OFFSET - 1, 2, false},
        {"across the histogram's end", memory.histogram_end - 1, 2, false},
        {"the guard page", memory.stack - 1, 1, false},
        {"8 bytes of the guard page", memory.stack - USER_PAGE_SIZE, 8, false},
        {"from the guard page into the stack", memory.stack - 8, 16, false},
        {"across the stack's end", memory.stack_end - 1, 2, false},
        {"behind the stack", memory.stack_end, 1, false},
        {"constants", (uint64_t)constant, 8, true},
        {"the end of the constants", memory.constants_end - 1, 1, true},
        {"code", (uint64_t)try_bad_buffer, 8, true},
        {"the end of the code", memory.text_end - 8, 8, true},
    };
    TRY_EVERYWHERE(bad);
}

static void try_past_2_64(void)
{
    const uint64_t data = (uint64_t)area;
    const struct bad bad[] = {
        {"as long as can be", data, UINT64_MAX, false},
        {"up to 2^64", data, -data, false},
        {"past 2^64 by a byte", data, -data + 1, false},
        {"past 2^64 to just before itself", data + 8, UINT64_MAX - 7, false},
        {"past 2^64 into itself", data + 8, UINT64_MAX - 3, false},
        {"the last byte and the first", UINT64_MAX, 2, false},
        {"from the end of memory into good memory", UINT64_MAX, data + 9, false},
        {"2^32 bytes", data, B32, false},
        {"2^32 and 8 bytes", data, B32 + 8, false},
        {"2^63 bytes", data, B63, false},
        {"all of the kernel's half", NON_CANONICAL, NON_CANONICAL, false},
        {"everything from null", 0, UINT64_MAX, false},
    };
    TRY_EVERYWHERE(bad);
}

void try_bad_buffers(void)
{
    watch_all();
    try_elsewhere();
    try_across_ends();
    try_past_2_64();
}

/* One byte more than the call takes. */
static void try_most(const struct call *c, uint32_t i)
{
    uint64_t a[ARGUMENTS];
    if (c->arguments[i].most == NO_LIMIT)
        return;
    registers(c, a);
    a[i + 1] = c->arguments[i].most + 1;
    check_at_most("a buffer's most", a[i + 1], sizeof constant);
    try(c, a, i + 1, "too long", STATUS_OUT_OF_RANGE);
}

static void try_handles(const struct call *c, uint32_t i)
{
    static const uint64_t none[] = {
        HANDLES, HANDLES + 1, 15,      16,  31,      32,      1000,       UINT32_MAX / 2 + 1, UINT32_MAX,
        B32,     B32 + 1,     B32 + 2, B63, B63 + 1, B63 + 2, UINT64_MAX, UINT64_MAX - 1};
    uint64_t a[ARGUMENTS];
    registers(c, a);
    const struct argument *d = &c->arguments[i];
    for (size_t k = 0; k < sizeof none / sizeof none[0]; k++) {
        a[i] = none[k];
        try(c, a, i, "no handle", STATUS_OUT_OF_RANGE);
    }
    for (a[i] = 0; a[i] < HANDLES; a[i]++)
        if (d->type && types[a[i]] != d->type && types[a[i]] != d->other)
            try(c, a, i, "a handle of another type", STATUS_UNIMPLEMENTED);
}

static void try_flags(const struct call *c, uint32_t i)
{
    uint64_t a[ARGUMENTS];
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (c->arguments[i].most >> bit & 1)
            continue;
        registers(c, a);
        a[i] |= UINT64_C(1) << bit;
        try(c, a, i, "an invalid flag", STATUS_INVALID_ARGUMENT);
    }
}

static void try_range(const struct call *c, uint32_t i)
{
    const struct argument *d = &c->arguments[i];
    const uint64_t outside[] = {d->least - 1, d->most + 1, d->least + B32, d->least + B63, UINT64_MAX};
    uint64_t a[ARGUMENTS];
    registers(c, a);
    for (size_t k = 0; k < sizeof outside / sizeof outside[0]; k++) {
        a[i] = outside[k];
        try(c, a, i, "out of range", STATUS_OUT_OF_RANGE);
    }
}

/* All from the argument on are wrong: it is the first, so it decides. */
static void try_first(const struct call *c, uint32_t i, enum status expected)
{
    uint64_t a[ARGUMENTS];
    registers(c, a);
    for (uint32_t k = i; k < ARGUMENTS; k++)
        if (c->arguments[k].kind != KIND_LENGTH)
            a[k] = c->arguments[k].kind == KIND_IN || c->arguments[k].kind == KIND_OUT ? 0 : B63;
    try(c, a, i, "the first that is wrong", expected);
}

static void try_argument(const struct call *c, uint32_t i)
{
    switch (c->arguments[i].kind) {
    case KIND_HANDLE:
        try_handles(c, i);
        try_first(c, i, STATUS_OUT_OF_RANGE);
        break;
    case KIND_FLAGS:
        try_flags(c, i);
        try_first(c, i, STATUS_INVALID_ARGUMENT);
        break;
    case KIND_RANGE:
        try_range(c, i);
        try_first(c, i, STATUS_OUT_OF_RANGE);
        break;
    case KIND_IN:
    case KIND_OUT:
        try_most(c, i);
        try_first(c, i, STATUS_INVALID_ARGUMENT);
        break;
    case KIND_IN_OR_NULL:
        try_most(c, i);
        try_first(c, i, STATUS_PERMISSION_DENIED);
        break;
    default:
        break;
    }
}

void try_bad_values(void)
{
    for (const struct call *c = calls; c < calls + call_count; c++)
        for (uint32_t i = 0; i < c->count; i++)
            try_argument(c, i);
}
