/* SPDX-License-Identifier: MIT
 * Every system call with the kinds of its arguments, out of sys/abi/syscalls.def, so that a new call is tested without
 * a line here; and what the parts of this program share. */
#pragma once
#include "sys/abi/image.h"
#include "tests/guest/check.h"

enum kind {
    KIND_NONE,
    KIND_VALUE,
    KIND_HANDLE,
    KIND_IN,
    KIND_OUT,
    KIND_IN_OR_NULL,
    KIND_LENGTH,
    KIND_FLAGS,
    KIND_RANGE,
    KIND_DEADLINE,
};

struct argument {
    enum kind kind;
    const char *name;
    uint64_t type, other; /* HANDLE: enum image_object_type, 0 for any; another one that will do, or 0 */
    uint64_t least, most; /* RANGE; IN, OUT: at most so many bytes; FLAGS: the valid bits */
    bool pieces;          /* IN, OUT: a negative length is a number of pieces */
};

#define ARGUMENTS 6
#define NO_LIMIT UINT32_MAX

/* The vDSO's functions pass on six registers, whatever their prototypes say. */
typedef struct result (*raw_call)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

struct call {
    const char *name;
    raw_call make;
    uint32_t count;
    struct argument arguments[ARGUMENTS];
};
extern const struct call calls[];
extern const uint32_t call_count;

#define DEFINE_SYSCALL(number, name, ...) CALL_##name,
enum call_number {
#include "sys/abi/syscalls.def"
};
#undef DEFINE_SYSCALL

static inline struct result call_make(const struct call *c, const uint64_t a[ARGUMENTS])
{
    return c->make(a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* Handles of this process begin at 0; what is behind each, and how many there are. */
extern const uint64_t types[];
#define HANDLES 9

/* Registers for the call that are all good: first handle of its type, 8 bytes, the least, no deadline. */
void good_arguments(const struct call *c, uint64_t a[ARGUMENTS]);

/* An asker's request is there and has been read, so that it may be answered. It is REQUEST_BYTES of message_byte. */
void await_request(void);

#define REQUEST_BYTES 8
#define ASKER_ROOM 64
#define UNTOUCHED 0xa5
#define STACK_BYTES 16384 /* arguments.json5 */

/* Memory of this process that may be written, and that only tests write. */
#define AREA_BYTES 256
extern unsigned char area[AREA_BYTES];
extern const unsigned char constant[USER_PAGE_SIZE];

/* Where this process's regions end, and so on: known after memory_look. */
extern struct memory {
    uint64_t base;                    /* of text */
    uint64_t text_end, constants_end; /* which others begin at */
    uint64_t data_end;                /* nothing begins there, nor at the ends of the two below */
    uint64_t histogram_end;
    uint64_t stack, stack_end;
} memory;
void memory_look(void);

/* Every address that is no buffer, for every buffer of every call: its status, and nothing is written (bad.c). */
void try_bad_buffers(void);

/* Lengths, handles, flags and values that are wrong (bad.c). */
void try_bad_values(void);

/* Odd buffers that are good, and none at odd addresses (good.c). */
void try_good_buffers(void);
