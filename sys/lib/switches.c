/* SPDX-License-Identifier: MIT
 * Reading and writing of sets of named switches. The text is only looked at: it lives in the command line. */
#include "sys/lib/switches.h"

#include "sys/lib/printf.h"
#include "sys/lib/string.h"

static bool is_word(const char *text, size_t n, const char *word)
{
    return strlen(word) == n && !strncmp(text, word, n);
}

/* The bits that a word stands for; 0 if it is none. */
static uint32_t word_bits(const char *text, size_t n, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_word(text, n, names[i]))
            return UINT32_C(1) << i;
    return 0;
}

/* One word with its sign; false if it is none. */
static bool word_apply(const char *word, size_t n, const char *const *names, size_t count, uint32_t *set)
{
    const bool sign = n && (*word == '+' || *word == '-');
    const uint32_t bits = word_bits(word + sign, n - sign, names, count);
    if (!sign && (is_word(word, n, "none") || is_word(word, n, "all"))) {
        *set = *word == 'n' ? 0 : (uint32_t)((UINT64_C(1) << count) - 1);
        return true;
    }
    *set = *word == '-' ? *set & ~bits : *set | bits;
    return bits;
}

bool switches_parse(const char *text, const char *const *names, size_t count, uint32_t *set, const char **bad,
                    size_t *bad_bytes)
{
    uint32_t result = *set;
    if (!text || !*text)
        return true;
    for (;; text++) {
        size_t n = 0;
        while (text[n] && text[n] != ',')
            n++;
        if (!word_apply(text, n, names, count, &result)) {
            const bool sign = *text == '+' || *text == '-';
            *bad = text + sign;
            *bad_bytes = n - sign;
            return false;
        }
        text += n;
        if (!*text)
            break;
    }
    *set = result;
    return true;
}

const char *switches_text(char *out, size_t n, const char *const *names, size_t count, uint32_t set,
                          const char *separator)
{
    size_t used = 0;
    ksnprintf(out, n, "none");
    for (size_t i = 0; i < count; i++) {
        if (!(set >> i & 1))
            continue;
        used += (size_t)ksnprintf(out + used, n - used, "%s%s", used ? separator : "", names[i]);
        if (used >= n)
            break;
    }
    return out;
}
