/* SPDX-License-Identifier: MIT
 * What tests/host/test_hlog.py drives: the kernel's recorder and log writer as a host program. It reads commands from
 * standard input, one a line, and writes a whole interval log to standard output:
 *     record VALUE TIMES    into the current histogram
 *     scribble SEED         from here on change random slots between the steps of writing, as a process could
 *     write TAG [NOTE]      writes the current histogram, its percentiles to the file argv[1], and begins a new one
 *     cut                   end without the end line */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "perf/hist.h"
#include "perf/hlog.h"

static struct histogram histogram;
static struct hlog_writer writer;
static unsigned scribble_seed;

/* Takes a little less than it is offered, every other time nothing. */
static size_t write_grudgingly(void *context, const char *bytes, size_t n)
{
    unsigned *calls = context;
    if ((*calls)++ % 2)
        return 0;
    return fwrite(bytes, 1, n > 3 ? n - 3 : n, stdout);
}

static void scribble(void)
{
    uint32_t at = (uint32_t)rand() % HISTOGRAM_COUNTS;
    for (uint32_t i = 0; i < 200 && at + i < HISTOGRAM_COUNTS; i++)
        histogram.counts[at + i] = rand() % 3 ? (uint64_t)rand() << (rand() % 40) : 0;
}

static enum status write_line(const char *tag, const char *note)
{
    static uint64_t now_ns = 1500000000;
    unsigned calls = 0;
    struct hlog_sink sink = {write_grudgingly, &calls};
    enum status status = hlog_begin(&writer, &histogram, tag, note, now_ns, now_ns + 250000000);
    if (status != STATUS_OK)
        return status;
    do {
        status = hlog_step(&writer, &sink, 1000);
        if (scribble_seed)
            scribble();
    } while (status == STATUS_UNAVAILABLE);
    now_ns += 250000000;
    return status;
}

/* "TAG STATUS VALID COUNT" and the values at 0, 0.5, 0.9, 0.99, 0.999, 0.9999 and 1. */
static void print_numbers(FILE *out, const char *tag, enum status status)
{
    static const uint32_t fractions[][2] = {{0, 1}, {1, 2}, {9, 10}, {99, 100}, {999, 1000}, {9999, 10000}, {1, 1}};
    fprintf(out, "%s %d %d %lu", tag, (int)status, hist_valid(&histogram), hist_count(&histogram));
    for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++)
        fprintf(out, " %lu", hist_value_at_percentile(&histogram, fractions[i][0], fractions[i][1]));
    fputc('\n', out);
}

static void record(const char *arguments)
{
    unsigned long value, times;
    if (sscanf(arguments, "%lu %lu", &value, &times) != 2)
        abort();
    while (times--)
        hist_record(&histogram, value);
}

int main(int argc, char **argv)
{
    char line[512], text[512];
    uint64_t written = 0, dropped = 0;
    bool cut = false;
    FILE *numbers = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (!numbers)
        return 2;
    hist_init(&histogram);
    fwrite(text, 1, hlog_header(text, sizeof text), stdout);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "record ", 7) == 0) {
            record(line + 7);
        } else if (strncmp(line, "scribble ", 9) == 0) {
            scribble_seed = (unsigned)atoi(line + 9);
            srand(scribble_seed);
        } else if (strncmp(line, "write ", 6) == 0) {
            char *tag = line + 6, *note = strchr(tag, ' ');
            if (note)
                *note++ = 0;
            enum status status = write_line(tag, note ? note : "");
            print_numbers(numbers, tag, status);
            written += status == STATUS_OK || status == STATUS_DATA_LOSS;
            dropped += status != STATUS_OK;
            hist_init(&histogram);
        } else {
            cut = true;
        }
    }
    if (!cut)
        fwrite(text, 1, hlog_end(text, sizeof text, written, dropped), stdout);
    return fclose(numbers) || fflush(stdout) ? 2 : 0;
}
