/* SPDX-License-Identifier: MIT
 * The parser of the kernel command line. The text comes from outside and is read once: each token is copied, unquoted,
 * into the result's own storage, so that texts are terminated strings that outlive the boot loader's memory. Keys,
 * ranges and defaults are rows of cmdline.def; there is no code for a single key. */
#include "sys/cmdline.h"

#include <stdbool.h>
#include "sys/lib/printf.h"
#include "sys/lib/string.h"

enum key_kind { KIND_U64, KIND_WORD, KIND_TEXT, KIND_LIST };

struct key {
    const char *name, *help;
    size_t offset; /* of its member in struct cmdline */
    enum key_kind kind;
    uint64_t min, max; /* KIND_U64 */
    const char *words; /* KIND_WORD: "a|b|c" in the order of the enum */
};

#define KEY_U64(low, high) .kind = KIND_U64, .min = (low), .max = (high)
#define KEY_TEXT .kind = KIND_TEXT
#define KEY_LIST .kind = KIND_LIST
#define KEY_WORD2(m, a, b) .kind = KIND_WORD, .words = #a "|" #b
#define KEY_WORD3(m, a, b, c) .kind = KIND_WORD, .words = #a "|" #b "|" #c

static const struct key keys[] = {
#define CMDLINE(member, key, kind, value, text)                                                                        \
    {.name = key, .help = text, .offset = offsetof(struct cmdline, member), KEY_##kind},
#include "sys/cmdline.def"
#undef CMDLINE
};
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static const char valid_keys[] = ""
#define CMDLINE(member, key, kind, value, text) " " key
#include "sys/cmdline.def"
#undef CMDLINE
    ;

/* Where the parser stands, and where its complaint goes. */
struct parser {
    const char *next, *end;
    struct cmdline *out;
    size_t used; /* of out->tokens */
    char *error;
    size_t error_bytes;
};

/* A word member is stored through unsigned, the type gcc and clang give an enum without negative values. */
_Static_assert(sizeof(enum cmdline_idle) == sizeof(unsigned), "words are stored as unsigned");

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The first `c` in `s`, or NULL. */
static char *find(char *s, char c)
{
    for (; *s; s++) {
        if (*s == c)
            return s;
    }
    return NULL;
}

/* Copies the next token to the storage. *token is NULL at the end of the line. It always fits: what ends a token in the
 * text takes the byte that its terminator takes here. */
static enum status token_read(struct parser *p, char **token)
{
    char *start = &p->out->tokens[p->used];
    bool quoted = false;
    while (p->next < p->end && is_blank(*p->next))
        p->next++;
    *token = p->next < p->end ? start : NULL;
    for (; p->next < p->end && (quoted || !is_blank(*p->next)); p->next++) {
        char c = *p->next;
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (c < ' ' || c > '~') {
            ksnprintf(p->error, p->error_bytes, "byte 0x%02x is not printable ASCII", (unsigned)(unsigned char)c);
            return STATUS_INVALID_ARGUMENT;
        }
        p->out->tokens[p->used++] = c;
    }
    if (quoted) {
        p->out->tokens[p->used] = '\0';
        ksnprintf(p->error, p->error_bytes, "the quote in '%.64s' is not closed", start);
        return STATUS_INVALID_ARGUMENT;
    }
    if (*token)
        p->out->tokens[p->used++] = '\0';
    return STATUS_OK;
}

/* 16 or more if `c` is no digit of any base. */
static unsigned digit_value(char c)
{
    unsigned letter = ((unsigned char)c | 0x20u) - 'a';
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return letter < 6 ? letter + 10 : 16;
}

/* False if `s` is no number or does not fit. */
static bool number_read(const char *s, uint64_t *out)
{
    unsigned base = 10;
    uint64_t v = 0;
    if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
        base = 16;
        s += 2;
    }
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned digit = digit_value(*s);
        if (digit >= base || v > (UINT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *out = v;
    return true;
}

/* The place of `value` in "a|b|c". */
static bool word_find(const char *words, const char *value, unsigned *out)
{
    for (unsigned place = 0;; place++) {
        size_t n = 0;
        while (words[n] && words[n] != '|')
            n++;
        if (strlen(value) == n && !strncmp(words, value, n)) {
            *out = place;
            return true;
        }
        if (!words[n])
            return false;
        words += n + 1;
    }
}

/* The joined values are shorter than the line they come from, where each has its key in front. */
static void list_append(char *list, const char *value)
{
    size_t used = strlen(list), n = strlen(value);
    if (used)
        list[used++] = ' ';
    memcpy(&list[used], value, n + 1);
}

static enum status value_store(struct parser *p, const struct key *k, const char *value)
{
    void *member = (char *)p->out + k->offset;
    uint64_t number;
    switch (k->kind) {
    case KIND_U64:
        if (!number_read(value, &number) || number < k->min || number > k->max) {
            ksnprintf(p->error, p->error_bytes, "%s=%.64s: must be %lu..%lu (%s)", k->name, value, k->min, k->max,
                      k->help);
            return STATUS_OUT_OF_RANGE;
        }
        *(uint64_t *)member = number;
        break;
    case KIND_WORD:
        if (!word_find(k->words, value, member)) {
            ksnprintf(p->error, p->error_bytes, "%s=%.64s: must be %s (%s)", k->name, value, k->words, k->help);
            return STATUS_OUT_OF_RANGE;
        }
        break;
    case KIND_TEXT:
        *(const char **)member = value;
        break;
    case KIND_LIST:
        list_append(member, value);
        break;
    }
    return STATUS_OK;
}

/* `token` is key=value; it is cut in two in place. */
static enum status token_apply(struct parser *p, char *token)
{
    char *equals = find(token, '=');
    if (equals)
        *equals = '\0';
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *k = &keys[i];
        if (strcmp(k->name, token))
            continue;
        if (equals)
            return value_store(p, k, equals + 1);
        ksnprintf(p->error, p->error_bytes, "%s: has no value, write %s=... (%s)", k->name, k->name, k->help);
        return STATUS_INVALID_ARGUMENT;
    }
    ksnprintf(p->error, p->error_bytes, "unknown key '%.64s'; valid keys:%s", token, valid_keys);
    return STATUS_NOT_FOUND;
}

enum status cmdline_parse(const char *text, struct cmdline *out, char *error, size_t error_bytes)
{
    *out = (struct cmdline){
#define CMDLINE(member, key, kind, value, help) .member = value,
#include "sys/cmdline.def"
#undef CMDLINE
    };
    struct parser p = {.next = text ? text : "", .out = out, .error = error, .error_bytes = error_bytes};
    size_t length = 0;
    while (length <= CMDLINE_BYTES_MAX && p.next[length])
        length++;
    p.end = p.next + length;
    if (length > CMDLINE_BYTES_MAX) {
        ksnprintf(error, error_bytes, "longer than %d bytes", CMDLINE_BYTES_MAX);
        return STATUS_OUT_OF_RANGE;
    }
    for (bool first = true;; first = false) {
        char *token;
        enum status status = token_read(&p, &token);
        if (status != STATUS_OK || !token)
            return status;
        if (first && !find(token, '=') && find(token, '/'))
            continue;
        status = token_apply(&p, token);
        if (status != STATUS_OK)
            return status;
    }
}
