/* SPDX-License-Identifier: MIT
 * Inside a fuzzing process: a random call, what may come of it, and the memory that is watched. */
#pragma once
#include "sys/abi/image.h"
#include "tests/guest/fuzz/fuzz.h"
#include "tests/guest/registers.h"

/* A call about to be made. */
struct random_call {
    uint64_t number;
    uint64_t a[6];
    bool answers;        /* it follows a channel_read, and may answer what that read */
    enum status refusal; /* of the first argument that is wrong: what the call must give; OK if none is */
    uint32_t outs;       /* the legal output buffer, in pieces: what the call may write before it is over */
    struct user_piece out[USER_PIECES_MAX];
};

/* An argument of a wrong kind gives this status, unless one before it was wrong. */
static inline void refuse(struct random_call *c, enum status status)
{
    if (c->refusal == STATUS_OK)
        c->refusal = status;
}

/* True once in n times. */
static inline bool one_in(uint64_t n)
{
    return fuzz_below(n) == 0;
}

/* objects.c. Once: finds out what objects there are. The first handle, the judge's channel, and the last, the process
 * itself, are never drawn. */
void objects_begin(void);

/* enum image_object_type; 0 if there is no such object to draw. */
uint32_t object_type(uint64_t handle);

/* A handle, mostly of one of these types, 0 for any; or something that is none. */
uint64_t draw_handle(struct random_call *c, uint32_t type, uint32_t other);

/* Ends what is under way: asynchronous transactions, other threads, processes that this one supervises. */
void objects_settle(void);

/* buffers.c. Once: fills the memory that is watched. */
void buffers_begin(void);

/* An address and a length: `most` as in the row; `pieces`: it may be cut. */
void draw_output(struct random_call *c, uint64_t most, bool pieces, uint64_t a[2]);
void draw_input(struct random_call *c, uint64_t most, bool pieces, bool null_is_legal, uint64_t a[2]);

/* The call wrote so many bytes, and nothing else. The expected and the actual word, if that is not so. */
bool outputs_are_sound(const struct random_call *c, uint64_t written, uint64_t *expected, uint64_t *got);

/* All watched memory. */
void buffers_check(void);

/* draw.c. Once; then a number, its arguments, all other registers: into *c and fuzz_before. At first *c is the last
 * call. `starts`: threads and processes may be started. */
void draw_begin(void);
void draw_call(struct random_call *c, bool starts);

/* enter.S */
extern uint64_t fuzz_before[REGISTERS], fuzz_after[REGISTERS], fuzz_seventh;
void fuzz_enter(void);
void fuzz_thread(void);

/* verify.c. The call has been made; index: how many before it. Ends the test if anything is not as it must be. Notes
 * whether it was OK. */
void verify_call(const struct random_call *c, uint64_t index);
