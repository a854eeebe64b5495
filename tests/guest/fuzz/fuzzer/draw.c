/* SPDX-License-Identifier: MIT
 * Random calls. Arguments are drawn by their kinds, from the rows that the kernel itself is made of, so that most calls
 * get far and a new call is fuzzed as soon as it has a row. Most arguments are legal, some nearly, some wild. What is
 * drawn depends on the seed alone; only deadlines that are not past also depend on the clock. */
#include "sys/abi/examples.h"
#include "tests/guest/fuzz/fuzzer/fuzzer.h"

enum kind {
    NOTHING,
    A_VALUE,
    A_HANDLE,
    AN_INPUT,
    AN_INPUT_OR_NULL,
    AN_INPUT_IN_PIECES,
    AN_OUTPUT,
    AN_OUTPUT_IN_PIECES,
    A_LENGTH,
    SOME_FLAGS,
    A_RANGE,
    A_DEADLINE
};

struct argument {
    enum kind kind;
    uint64_t least, most; /* of a handle: the two types */
};

struct row {
    void (*stub)(void);
    struct argument a[6];
};

#define IMAGE_OBJECT_ANY 0
#define ARGUMENT(...)                                                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define NONE ARGUMENT(NOTHING, 0, 0)
#define VALUE(name) ARGUMENT(A_VALUE, 0, 0)
#define HANDLE(name, type) EITHER(name, type, type)
#define END(name) EITHER(name, CHANNEL_HANDLER, CHANNEL_INITIATOR)
#define EITHER(name, type, other) ARGUMENT(A_HANDLE, IMAGE_OBJECT_##type, IMAGE_OBJECT_##other)
#define IN(name, most) ARGUMENT(AN_INPUT, 0, most)
#define IN_OR_NULL(name, most) ARGUMENT(AN_INPUT_OR_NULL, 0, most)
#define IN_PIECES(name) ARGUMENT(AN_INPUT_IN_PIECES, 0, UINT32_MAX)
#define OUT(name, most) ARGUMENT(AN_OUTPUT, 0, most)
#define OUT_PIECES(name) ARGUMENT(AN_OUTPUT_IN_PIECES, 0, UINT32_MAX)
#define LENGTH(name) ARGUMENT(A_LENGTH, 0, 0)
#define FLAGS(name, mask) ARGUMENT(SOME_FLAGS, 0, mask)
#define RANGE(name, least, most) ARGUMENT(A_RANGE, least, most)
#define DEADLINE(name) ARGUMENT(A_DEADLINE, 0, 0)
#define DEFINE_SYSCALL(number, name, count, a0, a1, a2, a3, a4, a5, ...)                                               \
    [number] = {(void (*)(void))name, {a0, a1, a2, a3, a4, a5}},
static const struct row rows[NUMBERS] = {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

/* How often a number is drawn; USUAL where nothing is said. What writes to the host is slow, and so is what walks
 * tables; hooks stay as they are for a while, so that both ways into the kernel get their share. */
#define USUAL 32
#define MOST 128
#define NEVER 255
static const uint8_t weights[NUMBERS] = {
    [NUMBER_process_exit] = NEVER,   [NUMBER_thread_exit] = NEVER,
    [NUMBER_debug_shutdown] = NEVER, [NUMBER_channel_transact] = MOST,
    [NUMBER_channel_read] = MOST,    [NUMBER_channel_respond_and_wait] = MOST,
    [NUMBER_channel_respond] = MOST, [NUMBER_thread_yield] = 8,
    [NUMBER_syscall_lookup] = 8,     [NUMBER_debug_trigger_interrupt] = 8,
    [NUMBER_interrupt_message] = 8,  [NUMBER_histogram_export] = 4,
    [NUMBER_process_start] = 4,      [NUMBER_task_terminate] = 4,
    [NUMBER_debug_log] = 1,          [NUMBER_debug_putc] = 1,
    [NUMBER_syscall_hook] = 1,       [NUMBER_syscall_stats] = 1,
    [NUMBER_event_read] = 16,        [NUMBER_router_request] = 8,
    [NUMBER_debug_measure] = 2,
};

static uint8_t tickets[NUMBERS * MOST]; /* a number per ticket */
static uint64_t ticket_count;
static struct sum_request sum_request;

#define STACK_BYTES 1024
static char stack[STACK_BYTES]; /* on which the calls are made, at any alignment */

void draw_begin(void)
{
    for (uint32_t number = 0; number < NUMBERS; number++)
        for (uint32_t i = weights[number] ? weights[number] : USUAL; i > 0 && weights[number] != NEVER; i--)
            tickets[ticket_count++] = (uint8_t)number;
}

/* Past, or soon; less often soon than it would be for variety's sake, because to block costs much under an emulator. */
static uint64_t a_deadline(const struct random_call *c)
{
    bool waits_for_peer = c->number == NUMBER_channel_transact || c->number == NUMBER_channel_respond_and_wait;
    switch (fuzz_below(waits_for_peer ? 8 : 24)) {
    case 0:
        return clock_now() + fuzz_below(50 * US);
    case 1:
        return clock_now() + fuzz_below(4 * MS);
    case 2:
        return clock_now() - fuzz_below(50 * US);
    default:
        return fuzz_below(1000);
    }
}

static uint64_t some_flags(void)
{
    static const uint64_t flags[] = {SIGNAL_READABLE, SIGNAL_WRITEABLE, SIGNAL_ERROR,
                                     SIGNAL_USER,     SIGNAL_JOINABLE,  SIGNAL_INTERRUPT_A};
    uint64_t mask = flags[fuzz_below(6)] | flags[fuzz_below(6)];
    return one_in(4) ? fuzz_random() >> fuzz_below(64) : mask;
}

/* The least one, any, one of the last; or wild. */
static uint64_t a_number(uint64_t least, uint64_t most)
{
    uint64_t count = most - least + 1;
    switch (fuzz_below(4)) {
    case 0:
        return least;
    case 1:
        return least + fuzz_below(count);
    case 2:
        return most - fuzz_below(count < 16 ? count : 16);
    default:
        return fuzz_wild();
    }
}

static uint64_t a_value(void)
{
    return one_in(2) ? fuzz_below(USER_CALLS + 8) : one_in(2) ? fuzz_below(64) : fuzz_wild();
}

static void draw_argument(struct random_call *c, const struct argument *d, uint64_t *a)
{
    switch (d->kind) {
    case A_HANDLE:
        *a = draw_handle(c, (uint32_t)d->least, (uint32_t)d->most);
        break;
    case AN_INPUT:
    case AN_INPUT_OR_NULL:
    case AN_INPUT_IN_PIECES:
        draw_input(c, d->most, d->kind == AN_INPUT_IN_PIECES, d->kind == AN_INPUT_OR_NULL, a);
        break;
    case AN_OUTPUT:
    case AN_OUTPUT_IN_PIECES:
        draw_output(c, d->most, d->kind == AN_OUTPUT_IN_PIECES, a);
        break;
    case SOME_FLAGS:
        *a = some_flags();
        if (*a & ~d->most)
            refuse(c, STATUS_INVALID_ARGUMENT);
        break;
    case A_RANGE:
        *a = a_number(d->least, d->most);
        if (*a < d->least || *a > d->most)
            refuse(c, STATUS_OUT_OF_RANGE);
        break;
    case A_DEADLINE:
        *a = a_deadline(c);
        break;
    case A_VALUE:
        *a = a_value();
        break;
    case A_LENGTH: /* came with its buffer */
        break;
    case NOTHING:
        *a = fuzz_before[REGISTER_RAX]; /* of the last call; anything will do */
        break;
    }
}

/* Two values for `add`, or for `sum` a good request or a bad one, whichever of the two the number is given to now. */
static void draw_extension(uint64_t a[6])
{
    for (int i = 0; i < 6; i++)
        a[i] = fuzz_wild();
    if (one_in(2))
        return;
    sum_request.count = one_in(2) ? fuzz_below(SUM_VALUES_MAX) : fuzz_wild();
    sum_request.address = one_in(2) ? (uint64_t)tickets : fuzz_wild();
    a[0] = (uint64_t)&sum_request;
    a[1] = one_in(8) ? fuzz_below(32) : sizeof sum_request;
}

/* A thread that begins anywhere in this process would end it. */
static void draw_thread(uint64_t a[6])
{
    a[1] = one_in(8) ? USER_END + (fuzz_wild() >> 1) : (uint64_t)fuzz_thread;
    a[3] = 1 + fuzz_below(10000);
}

static void draw_registers(const struct random_call *c)
{
    bool extension = c->number >= NUMBERS;
    const uint64_t *a = c->a;
    uint64_t value = fuzz_extreme(fuzz_random());
    for (uint64_t i = 0; i < REGISTER_GENERAL; i++, value = value * 0xd6e8feb86659fd93ul + i)
        fuzz_before[i] = value;
    uint64_t in_c[7] = {c->number, a[0], a[1], a[2], a[3], a[4], a[5]};
    const uint64_t *arguments = extension ? in_c : in_c + 1;
    fuzz_before[REGISTER_RDI] = arguments[0];
    fuzz_before[REGISTER_RSI] = arguments[1];
    fuzz_before[REGISTER_RDX] = arguments[2];
    fuzz_before[REGISTER_RCX] = arguments[3];
    fuzz_before[REGISTER_R8] = arguments[4];
    fuzz_before[REGISTER_R9] = arguments[5];
    fuzz_seventh = a[5];
    fuzz_before[REGISTER_RIP] = extension ? (uint64_t)extension_call : (uint64_t)rows[c->number].stub;
    fuzz_before[REGISTER_RSP] = (uint64_t)(stack + STACK_BYTES) - fuzz_below(64);
    fuzz_before[REGISTER_RFLAGS] = fuzz_random() & FREE_FLAGS;
}

/* Of a handler that was read from, half of the time the answer follows. */
static uint64_t draw_number(bool answers, bool starts)
{
    uint64_t number = tickets[fuzz_below(ticket_count)];
    if (answers)
        return one_in(2) ? NUMBER_channel_respond : NUMBER_channel_respond_and_wait;
    if (one_in(8))
        return NUMBERS + fuzz_below(USER_CALLS - NUMBERS);
    return !starts && (number == NUMBER_process_start || number == NUMBER_thread_start) ? NUMBER_debug_nop : number;
}

void draw_call(struct random_call *c, bool starts)
{
    bool answers = c->number == NUMBER_channel_read && one_in(2);
    *c = (struct random_call){.number = draw_number(answers, starts), .answers = answers};
    for (int i = 0; c->number < NUMBERS && i < 6; i++)
        draw_argument(c, &rows[c->number].a[i], &c->a[i]);
    if (c->number >= NUMBERS)
        draw_extension(c->a);
    if (c->number == NUMBER_thread_start)
        draw_thread(c->a);
    draw_registers(c);
}
