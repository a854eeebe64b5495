/* SPDX-License-Identifier: MIT
 * struct histogram: log-linear HDR layout, 3 significant digits, values 1 .. HISTOGRAM_HIGHEST, one writer.
 * It is mapped into the process that records; index(v) = (bucket << 10) + (v >> bucket) with
 * bucket = bit_length(v | 2047) - 11, which is HdrHistogram's own layout for lowest 1 and 3 digits. */
#ifndef TERN_ABI_HISTOGRAM_H
#define TERN_ABI_HISTOGRAM_H
#include <stdint.h>

#define HISTOGRAM_MAGIC 0x54534948u
#define HISTOGRAM_DIGITS 3
#define HISTOGRAM_SUB_BITS 11 /* 2048 sub-buckets, of which the upper half is used from bucket 1 on */
#define HISTOGRAM_VALUE_BITS 40
#define HISTOGRAM_HIGHEST ((UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)
#define HISTOGRAM_BUCKETS (HISTOGRAM_VALUE_BITS - HISTOGRAM_SUB_BITS + 1)
#define HISTOGRAM_COUNTS ((HISTOGRAM_BUCKETS + 1) * 1024)

struct histogram {
    uint32_t magic;    /* HISTOGRAM_MAGIC, set by the kernel */
    uint32_t version;  /* 1 */
    uint64_t overflow; /* values above HISTOGRAM_HIGHEST: counted here and in no bucket */
    uint64_t sum;      /* exact, of the values in buckets */
    uint64_t min;      /* exact; UINT64_MAX when empty */
    uint64_t max;      /* exact; 0 when empty */
    uint64_t reserved[2];
    uint64_t padding;
    uint64_t counts[HISTOGRAM_COUNTS];
};
_Static_assert(sizeof(struct histogram) == 64 + 8 * HISTOGRAM_COUNTS, "header is one cache line");
#define HISTOGRAM_BYTES sizeof(struct histogram)

#endif
