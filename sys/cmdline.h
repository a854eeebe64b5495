/* SPDX-License-Identifier: MIT
 * The kernel command line, parsed once at boot into one struct whose members come from cmdline.def. The text is the
 * same from GRUB, PVH and Xen: `key=value` tokens between blanks; double quotes group and vanish; a first token with a
 * '/' and no '=' is the kernel's own path and is skipped. A key given twice: the last one counts, but lists keep all.
 * */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "sys/abi/status.h"

#define CMDLINE_BYTES_MAX 1024 /* without the terminator */

/* One enum for each key that takes a word. */
#define CMDLINE_ENUM_U64(min, max)
#define CMDLINE_ENUM_TEXT
#define CMDLINE_ENUM_LIST
#define CMDLINE_ENUM_WORD2(m, a, b) enum cmdline_##m{CMDLINE_##m##_##a, CMDLINE_##m##_##b};
#define CMDLINE_ENUM_WORD3(m, a, b, c) enum cmdline_##m{CMDLINE_##m##_##a, CMDLINE_##m##_##b, CMDLINE_##m##_##c};
#define CMDLINE(member, key, kind, value, help) CMDLINE_ENUM_##kind
#include "sys/cmdline.def"
#undef CMDLINE

/* What stands before and behind the member's name. */
#define CMDLINE_TYPE_U64(min, max) uint64_t
#define CMDLINE_TYPE_TEXT const char *
#define CMDLINE_TYPE_LIST char
#define CMDLINE_TYPE_WORD2(m, a, b) enum cmdline_##m
#define CMDLINE_TYPE_WORD3(m, a, b, c) enum cmdline_##m
#define CMDLINE_SIZE_U64(min, max)
#define CMDLINE_SIZE_TEXT
#define CMDLINE_SIZE_LIST [CMDLINE_BYTES_MAX + 1]
#define CMDLINE_SIZE_WORD2(m, a, b)
#define CMDLINE_SIZE_WORD3(m, a, b, c)

/* Not to be copied: the texts point into it. */
struct cmdline {
#define CMDLINE(member, key, kind, value, help) CMDLINE_TYPE_##kind member CMDLINE_SIZE_##kind;
#include "sys/cmdline.def"
#undef CMDLINE
    char tokens[CMDLINE_BYTES_MAX + 1]; /* the command line without quotes, each key and each value terminated */
};

/* `text` may be NULL, which is an empty line; no more than CMDLINE_BYTES_MAX + 1 bytes of it are read. On failure
 * `error` holds one printable line that says what is wrong and what is valid, and *out the defaults and the keys
 * before the bad one. NOT_FOUND for an unknown key, OUT_OF_RANGE for a value that is not legal or a line that is too
 * long, INVALID_ARGUMENT for what cannot be read: a key without value, an open quote, a byte that is not printable
 * ASCII. */
enum status cmdline_parse(const char *text, struct cmdline *out, char *error, size_t error_bytes);
