/* SPDX-License-Identifier: MIT
 * The IN and OUT instructions, for processes that may use ports (sys/port.c). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct port_instruction {
    uint8_t length;
    uint8_t width; /* 1, 2 or 4 bytes from or to RAX */
    bool is_out;
    bool has_port; /* otherwise it is in DX */
    uint8_t port;
};

/* Decodes the instruction that begins at `code`, of which `left` bytes may be read. False for anything but opcodes E4
 * to E7 and EC to EF, alone or behind one 66: other prefixes mean nothing to them and no compiler writes them; INS and
 * OUTS access memory. */
bool port_instruction_decode(const uint8_t *code, uint64_t left, struct port_instruction *out);
