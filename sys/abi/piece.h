/* SPDX-License-Identifier: MIT
 * A vectored buffer: where a call says so (sys/abi/syscalls.def), a length of -n stands for n pieces, in order, and the
 * address for an array of them. They are copied before they are checked and never read again. */
#ifndef TERN_ABI_PIECE_H
#define TERN_ABI_PIECE_H
#include <stdint.h>

#define USER_PIECES_MAX 8

struct user_piece {
    uint64_t address;
    uint64_t bytes;
};

#endif
