/* SPDX-License-Identifier: MIT
 * Inside a fuzzing process: a random call, what may come of it, and the memory that is watched. */
#pragma once
#include "tests/guest/fuzz/fuzz.h"
#include "tests/guest/fuzz/registers.h"

/* A call about to be made. */
struct random_call {
    uint64_t number;
    uint64_t a[6];
    bool answers;        /* it follows a channel_read, and may answer what that read */
    enum status refusal; /* of the first argument that is wrong: what the call must give; OK if none is */
    bool has_out;        /* a legal buffer, in the arena, that the call may write */
    uint64_t out;        /* its address */
    uint64_t bytes;      /* and length */
};

/* Output buffers are drawn here. It is the last thing of the data region, so that its end is the region's. Each word
 * that no call may have written holds arena_word, which no other process knows. */
#define ARENA_WORDS 1024
extern uint64_t arena[ARENA_WORDS], arena_word;

/* Where output must not go, and input may come from. */
#define READ_ONLY_WORDS 512
#define READ_ONLY_WORD 0x52454144204f4e4cul
extern const uint64_t read_only[READ_ONLY_WORDS];

/* Input that the log can take: letters. */
#define TEXT_BYTES 2048
extern char text[TEXT_BYTES];

/* enter.S */
extern uint64_t fuzz_before[REGISTERS], fuzz_after[REGISTERS], fuzz_seventh;
void fuzz_enter(void);

/* draw.c. Once: fills the memory above, finds out what objects there are, but for handle 0, the judge's. */
void draw_begin(void);

/* Ends what the drawn calls left under way. */
void draw_end(void);

/* A number, its arguments, all other registers: into *c and fuzz_before. At first *c is the last call. */
void draw_call(struct random_call *c);

/* verify.c. The call has been made; index: how many before it. Ends the test if anything is not as it must be. Notes
 * the status. */
void verify_call(const struct random_call *c, uint64_t index);

/* All watched memory. */
void verify_all(void);
