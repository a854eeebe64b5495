/* SPDX-License-Identifier: MIT
 * The decoder of IN and OUT: each form, every other opcode and prefix, code that ends too soon. */
#include "arch/x86_64/port_instruction.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

/* In a heap block of exactly `n` bytes, so that the sanitizer sees a byte read past it. */
static bool decode(const uint8_t *code, size_t n, struct port_instruction *out)
{
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, code, n);
    memset(out, 0xa5, sizeof *out);
    const bool is = port_instruction_decode(copy, n, out);
    free(copy);
    return is;
}

Test(port_instruction, each_form)
{
    static const struct {
        uint8_t code[3], bytes;
        struct port_instruction expected;
    } forms[] = {
        {{0xe4, 0x71}, 2, {2, 1, false, true, 0x71}},
        {{0xe5, 0x80}, 2, {2, 4, false, true, 0x80}},
        {{0x66, 0xe5, 0x80}, 3, {3, 2, false, true, 0x80}},
        {{0xe6, 0x00}, 2, {2, 1, true, true, 0}},
        {{0xe7, 0xff}, 2, {2, 4, true, true, 0xff}},
        {{0x66, 0xe7, 0xff}, 3, {3, 2, true, true, 0xff}},
        {{0xec}, 1, {1, 1, false, false, 0}},
        {{0xed}, 1, {1, 4, false, false, 0}},
        {{0x66, 0xed}, 2, {2, 2, false, false, 0}},
        {{0xee}, 1, {1, 1, true, false, 0}},
        {{0xef}, 1, {1, 4, true, false, 0}},
        {{0x66, 0xef}, 2, {2, 2, true, false, 0}},
        {{0x66, 0xe4, 0x71}, 3, {3, 1, false, true, 0x71}},
        {{0x66, 0xec}, 2, {2, 1, false, false, 0}},
        {{0x66, 0xe6, 0x71}, 3, {3, 1, true, true, 0x71}},
        {{0x66, 0xee}, 2, {2, 1, true, false, 0}},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct port_instruction is;
        for (size_t n = 0; n <= sizeof forms[i].code; n++)
            cr_assert(eq(int, decode(forms[i].code, n, &is), n >= forms[i].bytes), "form %zu, %zu bytes", i, n);
        const struct port_instruction *e = &forms[i].expected;
        cr_assert(eq(u8, is.length, e->length), "form %zu", i);
        cr_assert(eq(u8, is.width, e->width), "form %zu", i);
        cr_assert(eq(int, is.is_out, e->is_out), "form %zu", i);
        cr_assert(eq(int, is.has_port, e->has_port), "form %zu", i);
        cr_assert(eq(u8, is.port, e->port), "form %zu", i);
    }
}

Test(port_instruction, every_other_opcode)
{
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const unsigned opcode = a == 0x66 ? b : a;
            const bool is_one = (opcode >= 0xe4 && opcode <= 0xe7) || (opcode >= 0xec && opcode <= 0xef);
            struct port_instruction is;
            cr_assert(eq(int, decode((uint8_t[]){(uint8_t)a, (uint8_t)b, 0x42, 0x42}, 4, &is), is_one), "%02x %02x", a,
                      b);
        }
    }
}

/* INS, OUTS, REP, REX, LOCK, two prefixes. */
Test(port_instruction, forms_that_are_refused)
{
    static const uint8_t codes[][4] = {{0x6c},
                                       {0x6d},
                                       {0x6e},
                                       {0x6f},
                                       {0xf3, 0x6c},
                                       {0x66, 0x6f},
                                       {0xf3, 0xec},
                                       {0x48, 0xed},
                                       {0xf0, 0xee},
                                       {0x66, 0x66, 0xed},
                                       {0x67, 0xec},
                                       {0x2e, 0xec},
                                       {0x66, 0x48, 0xed},
                                       {0xf2, 0xef},
                                       {0x40, 0xe4, 0x20}};
    struct port_instruction is;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        cr_assert(eq(int, decode(codes[i], 4, &is), 0), "%02x %02x", codes[i][0], codes[i][1]);
}
