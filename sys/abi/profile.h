/* SPDX-License-Identifier: MIT
 * What the sampler sends to the host through the port org.tern.prof (sys/profile.h); perf/host/profstream.py reads it.
 * Eight bytes of magic, then records of 32-bit words, little endian. The first word of each: its type (bits 0 to 7),
 * how many words it has, this one included (8 to 15), the CPU that it is about (16 to 23), flags (24 to 31).
 *
 *   BEGIN     version, samples a second asked for, CPUs, the CPU that is the sampler (PROFILE_NONE: the host sends the
 *             NMIs), processes, the kernel's build id (five words, its bytes in order), the image's name (eight words)
 *   PROCESS   index, name (eight words); as many as BEGIN says
 *   SAMPLE    number, time in nanoseconds since boot (low, high), process and thread << 16 (PROFILE_NOBODY: none),
 * frames of the kernel and frames of the process << 8, then those, the innermost first: program counters and return
 *             addresses. Each word stands for its sign extension: code lies below 2 GiB or in the highest 2 GiB
 *   CPU       taken (low, high), dropped of these (low, high), late; one for each CPU, when all samples are out
 *   END       words of the stream before this record, the magic included (low, high); nothing follows
 *
 * Samples of a CPU are numbered from 0, those dropped for want of room too, so a gap shows where and how many. */
#ifndef TERN_ABI_PROFILE_H
#define TERN_ABI_PROFILE_H

#define PROFILE_MAGIC "TERNPROF"
#define PROFILE_VERSION 1

#define PROFILE_BEGIN 1
#define PROFILE_PROCESS 2
#define PROFILE_SAMPLE 3
#define PROFILE_CPU 4
#define PROFILE_END 5

#define PROFILE_NONE 0xffffffff
#define PROFILE_NOBODY 0xffff /* as process: the CPU idled, or no thread had run yet */

#define PROFILE_IN_USER 1 /* flag of a sample: it hit user mode */
#define PROFILE_CUT 2     /* likewise: a chain was longer than this */
#define PROFILE_FRAMES_MAX 32

#define PROFILE_NAME_WORDS 8
#define PROFILE_BUILD_ID_WORDS 5
#define PROFILE_SAMPLE_WORDS 6 /* without frames */
#define PROFILE_SAMPLE_WORDS_MAX (PROFILE_SAMPLE_WORDS + 2 * PROFILE_FRAMES_MAX)

#define PROFILE_HEAD(type, words, cpu, flags)                                                                          \
    ((uint32_t)(type) | (uint32_t)(words) << 8 | (uint32_t)(cpu) << 16 | (uint32_t)(flags) << 24)
#define PROFILE_WORDS(head) ((head) >> 8 & 0xff)

#endif
