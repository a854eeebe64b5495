/* SPDX-License-Identifier: MIT
 * Words of the kernel's command line. */
#include "user/rt/tern.h"

#include "sys/lib/string.h"

/* The first character after `key=` if the word at `word` starts so. */
static const char *argument_value(const char *word, const char *key)
{
    size_t n = strlen(key);
    return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

bool tern_argument(const char *key, char *value, size_t n)
{
    const char *end = tern_vvar()->arguments + VVAR_ARGUMENTS_BYTES;
    const char *found = NULL;
    size_t length = 0;

    for (const char *word = tern_vvar()->arguments; word < end && *word != '\0';) {
        const char *next = word;
        while (next < end && *next != '\0' && *next != ' ')
            next++;
        const char *start = argument_value(word, key);
        if (start && start <= next) {
            found = start;
            length = (size_t)(next - start);
        }
        word = next < end && *next == ' ' ? next + 1 : next;
    }
    bool fits = found && length < n;
    if (fits)
        memcpy(value, found, length);
    if (n > 0)
        value[fits ? length : 0] = '\0';
    return fits;
}

uint64_t tern_argument_u64(const char *key, uint64_t otherwise)
{
    char text[21];
    if (!tern_argument(key, text, sizeof text) || text[0] == '\0')
        return otherwise;
    uint64_t number = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*c - '0'), &number))
            return otherwise;
    }
    return number;
}
