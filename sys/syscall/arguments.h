/* SPDX-License-Identifier: MIT
 * What a system call's arguments may be, and their decoding: handle to object, user range to kernel address. One row of
 * sys/abi/syscalls.def says it for each call; the rows become the constant arrays below, <call>_arguments.
 *
 * Two decoders give the same result. arguments_check is a loop for any description; it gives the status of the first
 * argument that is wrong. arguments_are_hot is for the few calls that must be fast: with a constant description it
 * compiles to a handful of compares, and it knows only the usual case (a valid handle, buffers in the regions where
 * this process's last ones were); whatever it does not know is left to the other. Neither reads or writes user memory.
 */
#pragma once
#include <arch/index_mask.h>
#include <stdbool.h>
#include "ipc/object.h"
#include "ipc/pieces.h"
#include "sys/user_buffer.h"

#define SYSCALL_ARGUMENTS 6

enum argument_kind {
    ARGUMENT_VALUE,
    ARGUMENT_HANDLE, /* becomes the struct object */
    ARGUMENT_EITHER, /* a handle of one of two types */
    ARGUMENT_END,    /* a handle of either end of a channel */
    ARGUMENT_IN,     /* a buffer and, next, its length; becomes the kernel's address */
    ARGUMENT_OUT,
    ARGUMENT_IN_OR_NULL,
    ARGUMENT_IN_PIECES, /* as IN and OUT; or, with a negative length, becomes a struct pieces of this CPU */
    ARGUMENT_OUT_PIECES,
    ARGUMENT_LENGTH,
    ARGUMENT_FLAGS,
    ARGUMENT_RANGE,
    ARGUMENT_STRING, /* a text of at most `most` bytes with its NUL; becomes the kernel's address */
    ARGUMENT_DEADLINE,
};

struct syscall_argument {
    uint8_t kind;   /* enum argument_kind */
    uint8_t type;   /* HANDLE, EITHER: enum image_object_type, or ARGUMENT_ANY_TYPE */
    uint16_t least; /* RANGE; EITHER: the other type */
    uint32_t most;  /* RANGE; IN, OUT, STRING: bytes, or ARGUMENT_ANY_LENGTH; FLAGS: the valid bits */
};

#define ARGUMENT_ANY_TYPE 0
#define ARGUMENT_ANY_LENGTH UINT32_MAX /* a region is smaller anyway */
#define IMAGE_OBJECT_ANY ARGUMENT_ANY_TYPE

/* Decodes `a` in place, in order; the status of the first argument that is wrong, and then `a` is worthless. */
enum status arguments_check(struct process *p, const struct syscall_argument *d, uint32_t count,
                            uint64_t a[SYSCALL_ARGUMENTS]);

/* The object behind a handle if it has this type, otherwise NULL. The table is padded to a power of two, so the index
 * stays inside it even where the CPU has guessed the comparison's outcome; the padding has no type. */
static inline __attribute__((always_inline)) struct object *handle_peek(const struct process *p, uint64_t handle,
                                                                        uint32_t type)
{
    if (type == ARGUMENT_ANY_TYPE ? handle >= p->object_count : handle > p->object_mask)
        return NULL;
    struct object *o = p->objects[index_mask(handle, p->object_mask)];
    return type == ARGUMENT_ANY_TYPE || o->type == type ? o : NULL;
}

_Static_assert(IMAGE_OBJECT_CHANNEL_HANDLER == 1 && IMAGE_OBJECT_CHANNEL_INITIATOR == 2, "one comparison; 0 is padding");

/* The same, of either end of a channel. */
static inline __attribute__((always_inline)) struct object *handle_peek_end(const struct process *p, uint64_t handle)
{
    if (handle > p->object_mask)
        return NULL;
    struct object *o = p->objects[index_mask(handle, p->object_mask)];
    return (uint16_t)(o->type - IMAGE_OBJECT_CHANNEL_HANDLER) <= 1 ? o : NULL;
}

static inline enum user_access argument_access(uint8_t kind)
{
    return kind == ARGUMENT_OUT || kind == ARGUMENT_OUT_PIECES ? USER_OUT : USER_IN;
}

/* A decoded buffer that may be in pieces: those, or the whole as one piece in `flat`. */
static inline const struct pieces *argument_pieces(uint64_t address, uint64_t length, struct pieces *flat)
{
    if ((int64_t)length < 0)
        return (const struct pieces *)address;
    *flat = pieces_of((char *)address, length);
    return flat;
}

/* The same with a status: OUT_OF_RANGE no such handle, UNIMPLEMENTED another type; *to is NULL then. */
enum status handle_find(const struct process *p, uint64_t handle, uint32_t type, struct object **to);

/* The checks of plain values, for both decoders and sys/syscall/validator.h. */
static inline enum status argument_flags(uint64_t value, uint64_t allowed)
{
    return value & ~allowed ? STATUS_INVALID_ARGUMENT : STATUS_OK;
}
static inline enum status argument_range(uint64_t value, uint64_t least, uint64_t most)
{
    return value < least || value > most ? STATUS_OUT_OF_RANGE : STATUS_OK;
}

static inline __attribute__((always_inline)) bool
argument_is_hot(const struct process *p, const struct syscall_argument *d, const uint64_t *a, uint64_t *to)
{
    const struct region *r = &p->hot[argument_access(d->kind)];
    switch (d->kind) {
    case ARGUMENT_HANDLE:
    case ARGUMENT_EITHER: /* the first type is the usual one */
        *to = (uint64_t)handle_peek(p, *a, d->type);
        return *to != 0;
    case ARGUMENT_END:
        *to = (uint64_t)handle_peek_end(p, *a);
        return *to != 0;
    case ARGUMENT_IN_OR_NULL: /* null is not usual, and an address that becomes null must not pass for it */
        if (!*a || *a + r->to_kernel == 0)
            return false;
        [[fallthrough]];
    case ARGUMENT_IN:
    case ARGUMENT_IN_PIECES:
    case ARGUMENT_OUT_PIECES:
    case ARGUMENT_OUT: /* of an empty one: an address that nobody uses */
        *to = *a + r->to_kernel;
        return (d->most == ARGUMENT_ANY_LENGTH || a[1] <= d->most) && (!a[1] || region_holds(r, *a, a[1]));
    case ARGUMENT_FLAGS:
        *to = *a;
        return argument_flags(*a, d->most) == STATUS_OK;
    case ARGUMENT_RANGE:
        *to = *a;
        return argument_range(*a, d->least, d->most) == STATUS_OK;
    default:
        *to = *a;
        return d->kind != ARGUMENT_STRING;
    }
}

/* `d` and `count` must be constants. False: nothing is known. */
static inline __attribute__((always_inline)) bool arguments_are_hot(const struct process *p,
                                                                    const struct syscall_argument *d, uint32_t count,
                                                                    const uint64_t *a, uint64_t *to)
{
    return (count <= 0 || argument_is_hot(p, &d[0], &a[0], &to[0])) &&
           (count <= 1 || argument_is_hot(p, &d[1], &a[1], &to[1])) &&
           (count <= 2 || argument_is_hot(p, &d[2], &a[2], &to[2])) &&
           (count <= 3 || argument_is_hot(p, &d[3], &a[3], &to[3])) &&
           (count <= 4 || argument_is_hot(p, &d[4], &a[4], &to[4])) &&
           (count <= 5 || argument_is_hot(p, &d[5], &a[5], &to[5]));
}

/* The rows as arrays. */
#define VALUE(name)                                                                                                    \
    {                                                                                                                  \
        .kind = ARGUMENT_VALUE                                                                                         \
    }
#define HANDLE(name, object)                                                                                           \
    {                                                                                                                  \
        .kind = ARGUMENT_HANDLE, .type = IMAGE_OBJECT_##object                                                         \
    }
#define EITHER(name, object, other)                                                                                    \
    {                                                                                                                  \
        .kind = ARGUMENT_EITHER, .type = IMAGE_OBJECT_##object, .least = IMAGE_OBJECT_##other                          \
    }
#define END(name)                                                                                                      \
    {                                                                                                                  \
        .kind = ARGUMENT_END, .type = IMAGE_OBJECT_CHANNEL_HANDLER, .least = IMAGE_OBJECT_CHANNEL_INITIATOR            \
    }
#define IN_PIECES(name)                                                                                                \
    {                                                                                                                  \
        .kind = ARGUMENT_IN_PIECES, .most = ARGUMENT_ANY_LENGTH                                                        \
    }
#define OUT_PIECES(name)                                                                                               \
    {                                                                                                                  \
        .kind = ARGUMENT_OUT_PIECES, .most = ARGUMENT_ANY_LENGTH                                                       \
    }
#define IN(name, bytes)                                                                                                \
    {                                                                                                                  \
        .kind = ARGUMENT_IN, .most = (bytes)                                                                           \
    }
#define OUT(name, bytes)                                                                                               \
    {                                                                                                                  \
        .kind = ARGUMENT_OUT, .most = (bytes)                                                                          \
    }
#define IN_OR_NULL(name, bytes)                                                                                        \
    {                                                                                                                  \
        .kind = ARGUMENT_IN_OR_NULL, .most = (bytes)                                                                   \
    }
#define LENGTH(name)                                                                                                   \
    {                                                                                                                  \
        .kind = ARGUMENT_LENGTH                                                                                        \
    }
#define FLAGS(name, mask)                                                                                              \
    {                                                                                                                  \
        .kind = ARGUMENT_FLAGS, .most = (mask)                                                                         \
    }
#define RANGE(name, low, high)                                                                                         \
    {                                                                                                                  \
        .kind = ARGUMENT_RANGE, .least = (low), .most = (high)                                                         \
    }
#define STRING(name, bytes)                                                                                            \
    {                                                                                                                  \
        .kind = ARGUMENT_STRING, .most = (bytes)                                                                       \
    }
#define DEADLINE(name)                                                                                                 \
    {                                                                                                                  \
        .kind = ARGUMENT_DEADLINE                                                                                      \
    }
#define NONE                                                                                                           \
    {                                                                                                                  \
        .kind = ARGUMENT_VALUE                                                                                         \
    }
#define DEFINE_SYSCALL(number, name, count, a0, a1, a2, a3, a4, a5, sentence, value)                                   \
    enum { name##_number = number, name##_count = count };                                                             \
    static const struct syscall_argument name##_arguments[SYSCALL_ARGUMENTS] = {a0, a1, a2, a3, a4, a5};
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
