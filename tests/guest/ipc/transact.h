/* SPDX-License-Identifier: MIT
 * What the transact test's three processes agree on. A request that starts with COMMAND_MAGIC and is exactly a struct
 * command asks the handler to try something; every other request is echoed. */
#pragma once
#include "tests/guest/check.h"

#define MESSAGE_MAX 4096
#define COMMAND_MAGIC 0x444e414d4d4f4354ul

enum operation {
    OPERATION_OFFSETS = 1, /* read at offsets, answer with the command */
    OPERATION_TOO_LONG,    /* answer more than `argument` bytes, then properly, then again */
    OPERATION_LATE,        /* answer at time `argument`, when the initiator has given up */
    OPERATION_IDLE,        /* answer, and wait for the next request until time `argument`, in vain */
};

struct command {
    uint64_t magic;
    uint64_t operation;
    uint64_t argument;
};

/* The nth byte of a message whose seed is `seed`. */
static inline unsigned char message_byte(size_t n, uint64_t seed)
{
    return (unsigned char)(n * 13 + seed * 7 + (n >> 8));
}

static inline bool is_command(const void *message, size_t n)
{
    const struct command *command = message;
    return n == sizeof *command && command->magic == COMMAND_MAGIC;
}
