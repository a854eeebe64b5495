/* SPDX-License-Identifier: MIT
 * The kernel command line: each kind of key at its borders, every way to write one, the exact error lines, and random
 * bytes and mutated real lines in exactly sized buffers, so that the sanitizer sees any read or store outside. */
#include "sys/cmdline.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

static struct cmdline line;
static char error[256];

static enum status parse(const char *text)
{
    error[0] = '\0';
    return cmdline_parse(text, &line, error, sizeof error);
}

static void expect_ok(const char *text)
{
    cr_assert(eq(int, parse(text), STATUS_OK), "'%s': %s", text, error);
    cr_assert(eq(str, error, ""));
}

static void expect_error(const char *text, enum status status, const char *message)
{
    cr_assert(eq(int, parse(text), status), "'%s'", text);
    cr_assert(eq(str, error, (char *)(uintptr_t)message));
}

static void expect_defaults(void)
{
    cr_assert(eq(u64, line.cpus, 64));
    cr_assert(eq(int, (int)line.idle, CMDLINE_idle_adaptive));
    cr_assert(eq(u64, line.iterations, 0));
    cr_assert(eq(int, (int)line.loglevel, CMDLINE_loglevel_info));
    cr_assert(eq(int, (int)line.mitigations, CMDLINE_mitigations_auto));
    cr_assert(eq(u64, line.seed, 1));
    cr_assert(eq(u64, line.slice_us, 10000));
    cr_assert(eq(u64, line.tsc_khz, 0));
    cr_assert(eq(int, (int)line.unit, CMDLINE_unit_ns));
    cr_assert(eq(u64, line.warmup, 0));
    cr_assert(line.bench == NULL);
    cr_assert(eq(int, (int)line.panic, CMDLINE_panic_none));
    cr_assert(eq(int, (int)line.pci, CMDLINE_pci_auto));
    cr_assert(eq(str, line.virtio_mmio_device, ""));
}

Test(cmdline, nothing_gives_the_defaults)
{
    static const char *const texts[] = {NULL, "", "   ", " \t\r\n ", "/boot/tern.elf", " build/release/tern "};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        memset(&line, 0xff, sizeof line);
        expect_ok(texts[i]);
        expect_defaults();
    }
}

Test(cmdline, every_key)
{
    expect_ok("bench=channel.call,hist cpus=2 idle=poll iterations=1000 loglevel=warn panic=test mitigations=off "
              "pci=off slice_us=100 tsc_khz=2800000 unit=instructions virtio_mmio.device=512@0xfeb00e00:12 warmup=5");
    cr_assert(eq(str, (char *)(uintptr_t)line.bench, "channel.call,hist"));
    cr_assert(eq(u64, line.cpus, 2));
    cr_assert(eq(int, (int)line.idle, CMDLINE_idle_poll));
    cr_assert(eq(u64, line.iterations, 1000));
    cr_assert(eq(int, (int)line.loglevel, CMDLINE_loglevel_warn));
    cr_assert(eq(int, (int)line.mitigations, CMDLINE_mitigations_off));
    cr_assert(eq(int, (int)line.panic, CMDLINE_panic_test));
    cr_assert(eq(int, (int)line.pci, CMDLINE_pci_off));
    cr_assert(eq(u64, line.slice_us, 100));
    cr_assert(eq(u64, line.tsc_khz, 2800000));
    cr_assert(eq(int, (int)line.unit, CMDLINE_unit_instructions));
    cr_assert(eq(str, line.virtio_mmio_device, "512@0xfeb00e00:12"));
    cr_assert(eq(u64, line.warmup, 5));
}

Test(cmdline, the_result_does_not_need_the_text)
{
    char text[] = "panic=test bench=a";
    expect_ok(text);
    memset(text, 'x', sizeof text);
    cr_assert(eq(int, (int)line.panic, CMDLINE_panic_test));
    cr_assert(eq(str, (char *)(uintptr_t)line.bench, "a"));
}

Test(cmdline, lists_keep_all_and_other_keys_the_last)
{
    expect_ok("virtio_mmio.device=a cpus=3 virtio_mmio.device=b cpus=4 idle=poll idle=hlt virtio_mmio.device=c");
    cr_assert(eq(str, line.virtio_mmio_device, "a b c"));
    cr_assert(eq(u64, line.cpus, 4));
    cr_assert(eq(int, (int)line.idle, CMDLINE_idle_hlt));
}

Test(cmdline, quotes_group_and_vanish)
{
    expect_ok("bench=\"a b\" \"cpus=5\" pa\"nic=t\"est");
    cr_assert(eq(str, (char *)(uintptr_t)line.bench, "a b"));
    cr_assert(eq(u64, line.cpus, 5));
    cr_assert(eq(int, (int)line.panic, CMDLINE_panic_test));
    expect_ok("bench=\"\"");
    cr_assert(eq(str, (char *)(uintptr_t)line.bench, ""));
    expect_error("cpus=1 bench=\"a b", STATUS_INVALID_ARGUMENT, "the quote in 'bench=a b' is not closed");
}

Test(cmdline, numbers_at_their_borders)
{
    static const char range[] = ": must be 1..64 (CPUs to start at most)";
    static const char *const bad[] = {"0",
                                      "65",
                                      "-1",
                                      "+1",
                                      "",
                                      "1k",
                                      "0x",
                                      "0x41",
                                      "0xg",
                                      "a",
                                      "1.0",
                                      "\"\"",
                                      "01x",
                                      "18446744073709551617",
                                      "0x10000000000000001"};
    expect_ok("cpus=1");
    cr_assert(eq(u64, line.cpus, 1));
    expect_ok("cpus=0x40");
    cr_assert(eq(u64, line.cpus, 64));
    expect_ok("tsc_khz=0X5F5e100");
    cr_assert(eq(u64, line.tsc_khz, 100000000));
    expect_ok("cpus=007");
    cr_assert(eq(u64, line.cpus, 7));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64], want[128];
        snprintf(text, sizeof text, "cpus=%s", bad[i]);
        snprintf(want, sizeof want, "cpus=%s%s", bad[i][0] == '"' ? "" : bad[i], range);
        expect_error(text, STATUS_OUT_OF_RANGE, want);
        cr_assert(eq(u64, line.cpus, 64), "a refused value is not stored");
    }
    expect_error("slice_us=99", STATUS_OUT_OF_RANGE, "slice_us=99: must be 100..1000000 (time slice in microseconds)");
    expect_error("iterations=100000001", STATUS_OUT_OF_RANGE,
                 "iterations=100000001: must be 0..100000000 (rounds per bench; 0 leaves it to the program)");
}

Test(cmdline, words_are_whole_words)
{
    static const char *const bad[] = {"", "pol", "polls", "|", "poll|adaptive", "adaptive|", "hl", "Poll"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64], want[128];
        snprintf(text, sizeof text, "idle=%s", bad[i]);
        snprintf(want, sizeof want, "idle=%s: must be poll|adaptive|hlt (what a CPU without work does)", bad[i]);
        expect_error(text, STATUS_OUT_OF_RANGE, want);
    }
}

Test(cmdline, unknown_keys_list_the_valid_ones)
{
    static const char all[] =
        "unknown key 'foo'; valid keys: bench com1 cpus entry grace_ms hooks idle iterations kvm loglevel "
        "mitigations nmi panic pci prof seed slice_us streams test tick_us tsc_khz unit virtio_mmio.device warmup xen";
    expect_error("cpus=2 foo=1 idle=hlt", STATUS_NOT_FOUND, all);
    cr_assert(eq(u64, line.cpus, 2), "keys before the bad one count");
    cr_assert(eq(int, (int)line.idle, CMDLINE_idle_adaptive), "keys behind it do not");
    expect_error("foo", STATUS_NOT_FOUND, all);
    cr_assert(eq(int, parse("cpu=1"), STATUS_NOT_FOUND), "a part of a key is none");
    cr_assert(eq(int, parse("cpus2=1"), STATUS_NOT_FOUND));
    cr_assert(eq(int, parse("=1"), STATUS_NOT_FOUND));
    cr_assert(eq(int, parse("\"\""), STATUS_NOT_FOUND));
    cr_assert(eq(int, parse("cpus=1 /boot/tern"), STATUS_NOT_FOUND), "a path counts in the first place only");
    cr_assert(eq(int, parse("a/b=1"), STATUS_NOT_FOUND));
    expect_error("panic", STATUS_INVALID_ARGUMENT,
                 "panic: has no value, write panic=... (after boot: panic, or a kernel fault, on purpose)");
}

Test(cmdline, the_error_is_one_short_printable_line)
{
    expect_error("cpus=1\x01", STATUS_INVALID_ARGUMENT, "byte 0x01 is not printable ASCII");
    expect_error("bench=\xc3\xa4", STATUS_INVALID_ARGUMENT, "byte 0xc3 is not printable ASCII");
    expect_error("bench=\"a\nb\"", STATUS_INVALID_ARGUMENT, "byte 0x0a is not printable ASCII");
    char small[8] = "1234567";
    cr_assert(eq(int, cmdline_parse("foo=1", &line, small, 5), STATUS_NOT_FOUND));
    cr_assert(eq(str, small, "unkn"));
    cr_assert(eq(chr, small[5], '6'));
    cr_assert(eq(int, cmdline_parse("foo=1", &line, NULL, 0), STATUS_NOT_FOUND));
}

Test(cmdline, length_limit)
{
    char text[CMDLINE_BYTES_MAX + 2] = "bench=";
    memset(text + 6, 'x', sizeof text - 6);
    text[CMDLINE_BYTES_MAX] = '\0';
    expect_ok(text);
    cr_assert(eq(sz, strlen(line.bench), CMDLINE_BYTES_MAX - 6));
    text[CMDLINE_BYTES_MAX] = 'x';
    /* No terminator anywhere: only as many bytes as it takes to see that are read. */
    text[CMDLINE_BYTES_MAX + 1] = 'x';
    char *exact = malloc(CMDLINE_BYTES_MAX + 1);
    memcpy(exact, text, CMDLINE_BYTES_MAX + 1);
    expect_error(exact, STATUS_OUT_OF_RANGE, "longer than 1024 bytes");
    expect_defaults();
    free(exact);
}

Test(cmdline, a_line_full_of_list_items_fits)
{
    static const char item[] = "virtio_mmio.device=";
    char text[CMDLINE_BYTES_MAX + 1] = "";
    size_t items = 0;
    for (; strlen(text) + sizeof item + 1 <= CMDLINE_BYTES_MAX; items++) {
        strcat(text, item);
        strcat(text, "z ");
    }
    expect_ok(text);
    cr_assert(eq(sz, strlen(line.virtio_mmio_device), 2 * items - 1));
}

static bool is_inside(const struct cmdline *out, const char *text)
{
    return !text || (text > out->tokens && text + strlen(text) < out->tokens + sizeof out->tokens);
}

/* What must hold whatever the text: a terminated printable line exactly if it failed, and members that are legal. */
static bool is_sound(const struct cmdline *out, enum status status, const char *message, size_t message_bytes)
{
    size_t n = strnlen(message, message_bytes);
    bool sound = n < message_bytes && (n == 0) == (status == STATUS_OK);
    for (size_t i = 0; i < n; i++)
        sound &= message[i] >= ' ' && message[i] <= '~';
    sound &= is_inside(out, out->bench) && out->panic <= CMDLINE_panic_fault;
    sound &= out->cpus >= 1 && out->cpus <= 64 && out->slice_us >= 100 && out->slice_us <= 1000000;
    sound &= out->tsc_khz <= 100000000 && out->iterations <= 100000000 && out->warmup <= 100000000;
    sound &= out->mitigations <= CMDLINE_mitigations_off;
    sound &= out->idle <= CMDLINE_idle_hlt && out->loglevel <= CMDLINE_loglevel_info;
    return sound && out->unit <= CMDLINE_unit_instructions;
}

static char random_byte(unsigned *seed)
{
    static const char likely[] = "  \"=|/0x9aghlt.,_\t\n";
    int r = rand_r(seed);
    return (char)(r % 4 ? likely[(r >> 8) % (int)(sizeof likely - 1)] : r >> 8);
}

/* Pieces of real lines in random order, some bytes of them changed, or bytes alone. */
static size_t make_line(char *text, size_t room, unsigned *seed)
{
    static const char *const pieces[] = {"cpus=",
                                         "cpus=4",
                                         "idle=hlt",
                                         "virtio_mmio.device=512@0xfeb00e00:12",
                                         "bench=\"a b\"",
                                         "panic=test",
                                         "unit=ns",
                                         " ",
                                         " ",
                                         "\"",
                                         "=",
                                         "/k",
                                         "tsc_khz=0xffff",
                                         "slice_us=",
                                         "iterations=18446744073709551616",
                                         "loglevel=warn",
                                         "warmup=7",
                                         "bench"};
    size_t n = 0, length = (size_t)rand_r(seed) % (rand_r(seed) % 8 ? 100 : room);
    while (n < length) {
        const char *piece = pieces[(size_t)rand_r(seed) % (sizeof pieces / sizeof pieces[0])];
        if (rand_r(seed) % 4 == 0) {
            text[n++] = random_byte(seed);
            continue;
        }
        for (; *piece && n < length; piece++)
            text[n++] = *piece;
        if (n < length && rand_r(seed) % 4)
            text[n++] = ' ';
    }
    if (n && rand_r(seed) % 2)
        text[(size_t)rand_r(seed) % n] = random_byte(seed);
    return n;
}

Test(cmdline, hostile_text_does_no_harm, .timeout = 60)
{
    static char text[1200];
    unsigned seed = 20240601, accepted = 0;
    struct cmdline *out = malloc(sizeof *out);
    for (int round = 0; round < 100000; round++) {
        size_t n = make_line(text, sizeof text, &seed), message_bytes = 1 + (size_t)rand_r(&seed) % 300;
        char *exact = malloc(n + 1), *message = calloc(1, message_bytes);
        memcpy(exact, text, n);
        exact[n] = '\0';
        enum status status = cmdline_parse(exact, out, message, message_bytes);
        if (message_bytes > 1)
            cr_assert(is_sound(out, status, message, message_bytes), "round %d: '%s'", round, exact);
        free(exact);
        accepted += status == STATUS_OK;
        free(message);
    }
    free(out);
    cr_assert(accepted > 1000 && accepted < 90000, "%u lines accepted: the lines say nothing", accepted);
}
