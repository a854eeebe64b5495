/* SPDX-License-Identifier: MIT
 * Binary search in the generated table: offsets from _text, and each name's place in one run of text. */
#include "arch/x86_64/symbols.h"

#include <stddef.h>

struct symbol {
    uint32_t offset; /* from _text */
    uint32_t name;   /* from symbol_names */
};

extern const struct symbol symbol_table[];
extern const uint32_t symbol_count;
extern const char symbol_names[], _text[], _etext[];

const char *symbols_find(uint64_t address, uint64_t *offset)
{
    *offset = 0;
    if (address < (uint64_t)_text || address >= (uint64_t)_etext || !symbol_count)
        return NULL;
    uint32_t want = (uint32_t)(address - (uint64_t)_text), low = 0, high = symbol_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (symbol_table[middle].offset <= want)
            low = middle;
        else
            high = middle;
    }
    *offset = want - symbol_table[low].offset;
    return symbol_names + symbol_table[low].name;
}
