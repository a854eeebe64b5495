/* SPDX-License-Identifier: MIT
 * Random calls. Arguments are drawn by their kinds, from the rows that the kernel itself is made of, so that most calls
 * get far and a new call is fuzzed as soon as it has a row. Most arguments are legal, some nearly, some wild. What is
 * drawn depends on the seed alone; only deadlines that are not past also depend on the clock. */
#include "tests/guest/fuzz/fuzzer/fuzzer.h"

enum kind {
    NOTHING,
    A_VALUE,
    A_HANDLE,
    AN_INPUT,
    AN_OUTPUT,
    AN_INPUT_OR_NULL,
    INPUT_PIECES,
    OUTPUT_PIECES,
    A_LENGTH,
    SOME_FLAGS,
    A_RANGE,
    A_DEADLINE
};

/* Of objects: bits, since a call may take several. */
enum type {
    CHANNEL_INITIATOR = 1,
    CHANNEL_HANDLER = 2,
    HISTOGRAM = 4,
    WAIT_GROUP = 8,
    INTERRUPT = 16,
    PROCESS = 32,
    THREAD = 64,
    ANY = 127,
};

struct argument {
    enum kind kind;
    enum type type;
    uint64_t least, most;
};

struct row {
    void (*stub)(void);
    struct argument a[6];
};

#define ARGUMENT(...)                                                                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define NONE ARGUMENT(NOTHING, ANY, 0, 0)
#define VALUE(name) ARGUMENT(A_VALUE, ANY, 0, 0)
#define HANDLE(name, type) ARGUMENT(A_HANDLE, type, 0, 0)
#define EITHER(name, one, other) ARGUMENT(A_HANDLE, one | other, 0, 0)
#define END(name) EITHER(name, CHANNEL_INITIATOR, CHANNEL_HANDLER)
#define IN_PIECES(name) ARGUMENT(INPUT_PIECES, ANY, 0, UINT32_MAX)
#define OUT_PIECES(name) ARGUMENT(OUTPUT_PIECES, ANY, 0, UINT32_MAX)
#define IN(name, most) ARGUMENT(AN_INPUT, ANY, 0, most)
#define OUT(name, most) ARGUMENT(AN_OUTPUT, ANY, 0, most)
#define IN_OR_NULL(name, most) ARGUMENT(AN_INPUT_OR_NULL, ANY, 0, most)
#define LENGTH(name) ARGUMENT(A_LENGTH, ANY, 0, 0)
#define FLAGS(name, mask) ARGUMENT(SOME_FLAGS, ANY, 0, mask)
#define RANGE(name, least, most) ARGUMENT(A_RANGE, ANY, least, most)
#define DEADLINE(name) ARGUMENT(A_DEADLINE, ANY, 0, 0)
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
    [NUMBER_process_exit] = NEVER,    [NUMBER_debug_shutdown] = NEVER,
    [NUMBER_thread_exit] = NEVER,     [NUMBER_task_terminate] = NEVER,
    [NUMBER_channel_transact] = MOST, [NUMBER_channel_read] = MOST,
    [NUMBER_channel_respond] = MOST,  [NUMBER_channel_respond_and_wait] = MOST,
    [NUMBER_thread_yield] = 8,        [NUMBER_syscall_lookup] = 8,
    [NUMBER_histogram_export] = 4,    [NUMBER_debug_log] = 1,
    [NUMBER_debug_putc] = 1,          [NUMBER_syscall_hook] = 1,
    [NUMBER_syscall_stats] = 1,
};

#define HANDLES_MAX 32
static uint8_t types[HANDLES_MAX]; /* of objects, by handle */
static uint64_t handles;
static uint64_t last_handle;            /* drawn */
static uint8_t tickets[NUMBERS * MOST]; /* a number per ticket */
static uint64_t ticket_count;

uint64_t arena_word;
__attribute__((common, aligned(USER_PAGE_SIZE))) uint64_t arena[ARENA_WORDS];
const uint64_t read_only[READ_ONLY_WORDS] = {[0 ... READ_ONLY_WORDS - 1] = READ_ONLY_WORD};
char text[TEXT_BYTES];

#define STACK_BYTES 1024
static char stack[STACK_BYTES]; /* on which the calls are made, at any alignment */

/* By asking for something of each kind that cannot be done, or changes nothing, but only one kind of object says so. */
static enum type type_of(uint32_t handle)
{
    if (COUNTED(channel_transact)(handle, NULL, 0, NULL, 0, 0).status != STATUS_UNIMPLEMENTED)
        return CHANNEL_INITIATOR;
    if (COUNTED(channel_read)(handle, 0, NULL, 0).status != STATUS_UNIMPLEMENTED)
        return CHANNEL_HANDLER;
    if (COUNTED(histogram_export)(handle, NULL, 1).status != STATUS_UNIMPLEMENTED)
        return HISTOGRAM;
    if (COUNTED(wait_group_remove)(handle, handle).status != STATUS_UNIMPLEMENTED)
        return WAIT_GROUP;
    if (COUNTED(interrupt_ack)(handle, 0).status != STATUS_UNIMPLEMENTED)
        return INTERRUPT;
    return PROCESS;
}

void draw_begin(void)
{
    while (handles < HANDLES_MAX &&
           COUNTED(channel_read)((uint32_t)handles, 0, NULL, 0).status != STATUS_OUT_OF_RANGE) {
        types[handles] = handles ? (uint8_t)type_of((uint32_t)handles) : 0;
        handles++;
    }
    for (uint32_t number = 0; number < NUMBERS; number++)
        for (uint32_t i = weights[number] ? weights[number] : USUAL; i > 0 && weights[number] != NEVER; i--)
            tickets[ticket_count++] = (uint8_t)number;
    arena_word = fuzz_random();
    for (uint32_t i = 0; i < ARENA_WORDS; i++)
        arena[i] = arena_word;
    for (uint32_t i = 0; i < TEXT_BYTES; i++)
        text[i] = i % 64 == 63 ? '\n' : (char)('a' + fuzz_below(26));
}

void draw_end(void)
{
    for (uint64_t handle = 1; handle < handles; handle++)
        if (types[handle] == CHANNEL_INITIATOR)
            (void)COUNTED(channel_async_cancel)(handle);
}

/* An argument is wrong and gives this status, unless one before it was wrong. */
static void refuse(struct random_call *c, enum status status)
{
    if (c->refusal == STATUS_OK)
        c->refusal = status;
}

/* A length below 0 is a number of pieces, where there may be any. */
static void refuse_buffer(struct random_call *c, const struct argument *d, bool legal, uint64_t address, uint64_t n)
{
    bool pieces = (d->kind == INPUT_PIECES || d->kind == OUTPUT_PIECES) && (int64_t)n < 0;
    if ((d->most != UINT32_MAX && n > d->most) || (pieces && -n > USER_PIECES_MAX))
        refuse(c, STATUS_OUT_OF_RANGE);
    else if (n && !legal)
        refuse(c, address ? STATUS_PERMISSION_DENIED : STATUS_INVALID_ARGUMENT);
}

/* True once in n times. */
static bool one_in(uint64_t n)
{
    return fuzz_below(n) == 0;
}

static uint64_t some_length(void)
{
    return one_in(8) ? fuzz_below(1500) : fuzz_below(72);
}

static uint64_t wild_length(void)
{
    uint64_t n = fuzz_wild();
    return n ? n : 1;
}

static uint64_t a_handle(struct random_call *c, enum type type)
{
    uint64_t handle = c->answers ? last_handle : 1 + fuzz_below(handles - 1);
    switch (fuzz_below(16)) {
    case 0: /* none: anything, the first that is none, one with more bits than a handle has */
        handle = one_in(3) ? fuzz_wild() : one_in(2) ? handles : handle + (UINT64_C(1) << 32);
        break;
    case 1: /* of any type */
        break;
    default:
        for (uint64_t i = 0; i < handles && !(types[handle] & type); i++)
            handle = handle + 1 < handles ? handle + 1 : 1;
    }
    if (handle == 0 || handle >= handles) {
        refuse(c, STATUS_OUT_OF_RANGE);
        return handle ? handle : handles;
    }
    if (!(types[handle] & type))
        refuse(c, STATUS_UNIMPLEMENTED);
    last_handle = handle;
    return handle;
}

/* An address and a length that leave what they begin in: by one byte or by far; or a length that nothing has. */
static void leave(uint64_t *address, uint64_t *n)
{
    uint64_t inside = 1 + fuzz_below(64);
    *address = (uint64_t)(arena + ARENA_WORDS) - inside;
    *n = inside + 1 + (one_in(2) ? fuzz_below(16) : wild_length() >> 1);
}

/* What is written when the response comes, whenever that is: nobody looks. */
static char late[2048];

static void a_legal_output(struct random_call *c, uint64_t *address, uint64_t n)
{
    if (c->number == NUMBER_channel_async_transact) {
        *address = (uint64_t)late + fuzz_below(sizeof late - n + 1);
        return;
    }
    *address = (uint64_t)arena + fuzz_below(sizeof arena - n + 1);
    c->has_out = true;
    c->out = *address;
    c->bytes = n;
}

static void an_output(struct random_call *c, const struct argument *d, uint64_t *address, uint64_t *n)
{
    bool legal = false;
    *n = some_length();
    switch (fuzz_below(16)) {
    case 0:
        *address = one_in(8) ? 0 : fuzz_wild();
        break;
    case 1:
        *address = fuzz_wild();
        *n = wild_length();
        break;
    case 2:
        leave(address, n);
        break;
    case 3:
        *address = one_in(2) ? (uint64_t)&read_only[fuzz_below(READ_ONLY_WORDS)] : (uint64_t)fuzz_enter;
        break;
    default:
        legal = true;
        a_legal_output(c, address, *n);
    }
    refuse_buffer(c, d, legal, *address, *n);
}

static struct user_piece vectors[2][USER_PIECES_MAX + 1];

/* Cuts a legal buffer into pieces, some of them empty; sometimes there is one more, which is not legal, or one too
 * many. */
static void cut(struct random_call *c, struct user_piece *vector, uint64_t *address, uint64_t *n)
{
    uint64_t count = 1 + fuzz_below(USER_PIECES_MAX - 1), at = *address, rest = *n;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t bytes = i == count - 1 ? rest : fuzz_below(rest + 1);
        vector[i] = (struct user_piece){at, bytes};
        at += bytes;
        rest -= bytes;
    }
    if (one_in(16)) {
        vector[count] = (struct user_piece){fuzz_wild(), wild_length()};
        refuse(c, vector[count++].address ? STATUS_PERMISSION_DENIED : STATUS_INVALID_ARGUMENT);
    } else if (one_in(16)) {
        count = USER_PIECES_MAX + 1;
        refuse(c, STATUS_OUT_OF_RANGE);
    }
    *address = (uint64_t)vector;
    *n = -count;
}

static void cut_some(struct random_call *c, const struct argument *d, uint64_t *a)
{
    bool was_legal = c->refusal == STATUS_OK && (int64_t)a[1] >= 0;
    if (was_legal && one_in(4))
        cut(c, vectors[d->kind == OUTPUT_PIECES], &a[0], &a[1]);
}

/* Names that mean something to the calls about calls, which take no longer ones. */
#define NAME_BYTES 32
static uint64_t a_name(uint64_t *n)
{
    static const char names[][10] = {"add", "add", "add", "audit", "latency", "debug_nop", "ad", ""};
    const char *name = names[fuzz_below(sizeof names / sizeof names[0])];
    *n = strlen(name);
    return (uint64_t)name;
}

static void an_input(struct random_call *c, const struct argument *d, uint64_t *address, uint64_t *n)
{
    bool legal = true;
    *n = some_length();
    switch (fuzz_below(16)) {
    case 0:
    case 1:
        legal = false;
        *address = one_in(4) ? 0 : fuzz_wild();
        *n = one_in(2) ? wild_length() : *n;
        break;
    case 2:
        legal = false;
        leave(address, n);
        break;
    case 3: /* not for the log, which is to be read */
        *address = c->number == NUMBER_debug_log ? (uint64_t)text : one_in(2) ? (uint64_t)read_only : (uint64_t)arena;
        break;
    default:
        *address = d->most == NAME_BYTES ? a_name(n) : (uint64_t)text + fuzz_below(sizeof text - *n + 1);
    }
    if (*address || d->kind != AN_INPUT_OR_NULL)
        refuse_buffer(c, d, legal, *address, *n);
}

/* Past, or soon. */
static uint64_t a_deadline(void)
{
    switch (fuzz_below(8)) {
    case 0:
        return clock_now() + fuzz_below(50 * US);
    case 1:
    case 2:
        return clock_now() + fuzz_below(4 * MS);
    case 3:
        return clock_now() - fuzz_below(50 * US);
    default:
        return fuzz_below(1000);
    }
}

static uint64_t some_flags(void)
{
    static const uint64_t flags[] = {SIGNAL_READABLE, SIGNAL_WRITEABLE, SIGNAL_ERROR, SIGNAL_USER};
    uint64_t mask = flags[fuzz_below(4)] | flags[fuzz_below(4)];
    return one_in(4) ? fuzz_random() >> fuzz_below(64) : mask;
}

static void draw_argument(struct random_call *c, const struct argument *d, uint64_t *a)
{
    switch (d->kind) {
    case A_HANDLE:
        *a = a_handle(c, d->type);
        break;
    case AN_INPUT:
    case AN_INPUT_OR_NULL:
        an_input(c, d, &a[0], &a[1]);
        break;
    case AN_OUTPUT:
        an_output(c, d, &a[0], &a[1]);
        break;
    case INPUT_PIECES:
        an_input(c, d, &a[0], &a[1]);
        cut_some(c, d, a);
        break;
    case OUTPUT_PIECES:
        an_output(c, d, &a[0], &a[1]);
        cut_some(c, d, a);
        break;
    case SOME_FLAGS:
        *a = some_flags();
        if (*a & ~d->most)
            refuse(c, STATUS_INVALID_ARGUMENT);
        break;
    case A_RANGE:
        *a = one_in(4) ? fuzz_wild() : d->least + (one_in(2) ? fuzz_below(d->most - d->least + 1) : 0);
        if (*a < d->least || *a > d->most)
            refuse(c, STATUS_OUT_OF_RANGE);
        break;
    case A_DEADLINE:
        *a = a_deadline();
        break;
    case A_LENGTH: /* came with its buffer */
        break;
    case NOTHING:
        *a = fuzz_before[REGISTER_RAX]; /* of the last call; anything will do */
        break;
    case A_VALUE:
        *a = one_in(2) ? fuzz_below(USER_CALLS + 8) : one_in(2) ? fuzz_below(64) : fuzz_wild();
        break;
    }
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

void draw_call(struct random_call *c)
{
    bool answers = c->number == NUMBER_channel_read && one_in(2);
    *c = (struct random_call){.number = tickets[fuzz_below(ticket_count)], .answers = answers};
    if (answers)
        c->number = one_in(2) ? NUMBER_channel_respond : NUMBER_channel_respond_and_wait;
    else if (one_in(8))
        c->number = NUMBERS + fuzz_below(USER_CALLS - NUMBERS);
    for (int i = 0; c->number >= NUMBERS && i < 6; i++)
        c->a[i] = fuzz_wild();
    for (int i = 0; c->number < NUMBERS && i < 6; i++)
        draw_argument(c, &rows[c->number].a[i], &c->a[i]);
    draw_registers(c);
}
