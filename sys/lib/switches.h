/* SPDX-License-Identifier: MIT
 * A set of named switches, and the text of a command-line key that changes it: words between commas, from left to
 * right. `+name` (or the name alone) puts one in, `-name` takes it out, `none` and `all` replace the set. A reader for
 * any key of this form: what the switches mean is its caller's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWITCHES_MAX 32 /* names in a list */
#define SWITCHES_TEXT_BYTES 128

/* Changes *set as `text` says; bit i stands for names[i]. NULL or an empty text changes nothing. False: *bad and
 * *bad_bytes are the first word that is none, without its sign, within `text`; *set is as it was. */
bool switches_parse(const char *text, const char *const *names, size_t count, uint32_t *set, const char **bad,
                    size_t *bad_bytes);

/* The names in `set`, `separator` between them, cut to fit; "none" if it is empty. Returns `out`. */
const char *switches_text(char *out, size_t n, const char *const *names, size_t count, uint32_t set,
                          const char *separator);
