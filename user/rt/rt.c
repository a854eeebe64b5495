/* SPDX-License-Identifier: MIT
 * The part of the runtime that is C: the log, arguments, verdicts. It keeps no state and allocates nothing. Formatting
 * and the memory functions that compilers call are the kernel's own sources (sys/lib), compiled again for ring 3. */
#include "user/rt/tern.h"

#include "sys/lib/printf.h"
#include "sys/lib/string.h"
#include <stdarg.h>

#define LINE_BYTES 256

/* Writes what fits and a newline; there is nobody to tell if the log refuses it. */
static void log_line(const char *prefix, const char *format, va_list args)
{
    char line[LINE_BYTES];
    size_t n = strlen(prefix);
    memcpy(line, prefix, n);
    int length = kvsnprintf(line + n, sizeof line - n, format, args);
    n += length < 0 ? 0 : (size_t)length;
    if (n > sizeof line - 1)
        n = sizeof line - 1;
    line[n] = '\n';
    (void)debug_log(line, n + 1);
}

void tern_log(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("", format, args);
    va_end(args);
}

void tern_success(void)
{
    tern_log("VERDICT: SUCCESS");
    debug_shutdown(STATUS_OK);
}

void tern_failure(enum status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line("VERDICT: FAILURE ", format, args);
    va_end(args);
    debug_shutdown(status == STATUS_OK ? STATUS_UNKNOWN : status);
}

void tern_thread_entry(void); /* crt0.S */

struct result tern_thread_start(uint64_t handle, int (*entry)(uint64_t argument), uint64_t argument)
{
    return thread_start(handle, (uint64_t)(uintptr_t)tern_thread_entry, (uint64_t)(uintptr_t)entry, argument);
}

static const char *const status_names[] = {
#define STATUS(name, code, sentence) [code] = #name,
#include "sys/abi/status.def"
#undef STATUS
};

const char *tern_status_name(enum status status)
{
    uint32_t code = status;
    if (code >= sizeof status_names / sizeof status_names[0])
        return "no status";
    return status_names[code];
}

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
