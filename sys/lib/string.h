/* SPDX-License-Identifier: MIT
 * The memory functions compilers call, and the few string functions the kernel needs. Any context. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

/* The `n` bytes are this word, no more and no less. */
static inline bool bytes_are(const char *bytes, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(bytes, word, n) == 0;
}
