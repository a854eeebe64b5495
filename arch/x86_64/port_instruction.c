/* SPDX-License-Identifier: MIT
 * Opcodes are 1110d1ow: d port in DX, o out, w word or double word instead of byte. */
#include "arch/x86_64/port_instruction.h"

#define PREFIX_OPERAND_SIZE 0x66
#define OPCODE_MASK 0xf4
#define OPCODE 0xe4
#define OPCODE_DX 8
#define OPCODE_OUT 2
#define OPCODE_WIDE 1

bool port_instruction_decode(const uint8_t *code, uint64_t left, struct port_instruction *out)
{
    const uint8_t prefix = left > 0 && code[0] == PREFIX_OPERAND_SIZE;
    if (left <= prefix || (code[prefix] & OPCODE_MASK) != OPCODE)
        return false;
    const uint8_t opcode = code[prefix];
    const bool has_port = !(opcode & OPCODE_DX);
    if (left < 1u + prefix + has_port)
        return false;
    *out = (struct port_instruction){.length = (uint8_t)(1 + prefix + has_port),
                                     .width = opcode & OPCODE_WIDE ? (prefix ? 2 : 4) : 1,
                                     .is_out = opcode & OPCODE_OUT,
                                     .has_port = has_port,
                                     .port = has_port ? code[prefix + 1] : 0};
    return true;
}
