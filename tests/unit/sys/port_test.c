/* SPDX-License-Identifier: MIT
 * IN and OUT done for a process: the ports it was given and no others, what becomes of RAX, and nothing at all where
 * the instruction is not the process's own. */
#include "sys/port.h"

#include <arch/io.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wconversion" /* Criterion's own macros */

#define TEXT UINT64_C(0x1000000)
#define DATA UINT64_C(0x1002000)
#define BYTES 4096u

static unsigned char text[BYTES], data[BYTES];
static struct region regions[] = {{TEXT + BYTES, BYTES, 0, IMAGE_REGION_READ | IMAGE_REGION_EXECUTE},
                                  {DATA + BYTES, BYTES, 0, IMAGE_REGION_READ | IMAGE_REGION_WRITE}};
static const struct image_device devices[] = {
    {.address = 0x1e00000, .physical = 0x3000, .bytes = 0x1000, .kind = IMAGE_DEVICE_MEMORY},
    {.physical = 0x3f8, .bytes = 8, .kind = IMAGE_DEVICE_PORTS},
    {.physical = 0x70, .bytes = 2, .kind = IMAGE_DEVICE_PORTS},
    {.physical = 0xfffc, .bytes = 4, .kind = IMAGE_DEVICE_PORTS},
};
static struct process process = {
    .regions = regions, .region_count = 2, .devices = devices, .device_count = sizeof devices / sizeof devices[0]};
static struct thread thread = {.process = &process};

/* The last access. */
static struct {
    unsigned count, width;
    uint16_t port;
    uint32_t value;
} out, in;

static void note_out(uint16_t port, unsigned width, uint32_t v)
{
    out.count++;
    out.width = width;
    out.port = port;
    out.value = v;
}

static uint32_t note_in(uint16_t port, unsigned width)
{
    in.count++;
    in.width = width;
    in.port = port;
    return 0x87654321;
}

void io_out8(uint16_t port, uint8_t v)
{
    note_out(port, 1, v);
}
void io_out16(uint16_t port, uint16_t v)
{
    note_out(port, 2, v);
}
void io_out32(uint16_t port, uint32_t v)
{
    note_out(port, 4, v);
}
uint8_t io_in8(uint16_t port)
{
    return (uint8_t)note_in(port, 1);
}
uint16_t io_in16(uint16_t port)
{
    return (uint16_t)note_in(port, 2);
}
uint32_t io_in32(uint16_t port)
{
    return note_in(port, 4);
}

static void begin(void)
{
    regions[0].to_kernel = (uint64_t)text - TEXT;
    regions[1].to_kernel = (uint64_t)data - DATA;
    memset(text, 0x90, BYTES);
}

TestSuite(port, .init = begin);

static bool at(uint64_t rip, uint64_t rax, uint64_t rdx)
{
    memset(&in, 0, sizeof in);
    memset(&out, 0, sizeof out);
    thread.frame = (struct frame){.rip = rip, .rax = rax, .rdx = rdx, .rcx = 7};
    const struct frame before = thread.frame;
    const bool done = port_execute(&thread);
    cr_assert(eq(u32, in.count + out.count, done));
    if (!done)
        cr_assert(eq(int, memcmp(&before, &thread.frame, sizeof before), 0), "a refusal changes nothing");
    return done;
}

static bool execute(const void *code, size_t n, uint64_t rax, uint64_t rdx)
{
    memcpy(text + 64, code, n);
    const bool done = at(TEXT + 64, rax, rdx);
    if (done)
        cr_assert(eq(u64, thread.frame.rip, TEXT + 64 + n));
    return done;
}

static void written(unsigned width, uint16_t port, uint32_t value)
{
    cr_assert(eq(u32, out.width, width));
    cr_assert(eq(u16, out.port, port));
    cr_assert(eq(u32, out.value, value));
}

Test(port, out_of_each_width)
{
    cr_assert(execute("\xee", 1, 0x1122334455667788, 0xabcd03f8));
    written(1, 0x3f8, 0x88);
    cr_assert(execute("\x66\xef", 2, 0x1122334455667788, 0x3fa));
    written(2, 0x3fa, 0x7788);
    cr_assert(execute("\xef", 1, 0x1122334455667788, 0x3fc));
    written(4, 0x3fc, 0x55667788);
    cr_assert(execute("\xe6\x70", 2, 0x0b, 0x3f8));
    written(1, 0x70, 0x0b);
    cr_assert(eq(u64, thread.frame.rax, 0x0b));
    cr_assert(eq(u64, thread.frame.rdx, 0x3f8));
}

Test(port, in_of_each_width)
{
    cr_assert(execute("\xec", 1, 0x1122334455667788, 0x3f8));
    cr_assert(eq(u64, thread.frame.rax, 0x1122334455667721));
    cr_assert(execute("\x66\xed", 2, 0x1122334455667788, 0x3f8));
    cr_assert(eq(u64, thread.frame.rax, 0x1122334455664321));
    cr_assert(execute("\xed", 1, 0x1122334455667788, 0x3f8));
    cr_assert(eq(u64, thread.frame.rax, 0x87654321), "a double word clears the rest");
    cr_assert(execute("\xe4\x71", 2, 0, 0x3f8));
    cr_assert(eq(u16, in.port, 0x71));
    cr_assert(eq(u32, in.width, 1));
    cr_assert(eq(u64, thread.frame.rcx, 7));
}

/* Wholly inside one range. */
Test(port, ports_of_others)
{
    static const struct {
        uint64_t port;
        unsigned most; /* how wide an access there may be */
    } cases[] = {{0x3f7, 0}, {0x3f8, 4},  {0x3fb, 4}, {0x3fc, 4}, {0x3fd, 2}, {0x3fe, 2},  {0x3ff, 1},  {0x400, 0},
                 {0, 0},     {0x3000, 0}, {0x70, 2},  {0x71, 1},  {0x72, 0},  {0xfffc, 4}, {0xfffe, 2}, {0xffff, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert(eq(int, execute("\xec", 1, 0, cases[i].port), cases[i].most >= 1), "%#lx", cases[i].port);
        cr_assert(eq(int, execute("\x66\xed", 2, 0, cases[i].port), cases[i].most >= 2), "%#lx", cases[i].port);
        cr_assert(eq(int, execute("\xed", 1, 0, cases[i].port), cases[i].most >= 4), "%#lx", cases[i].port);
        cr_assert(eq(int, execute("\xef", 1, 0, cases[i].port), cases[i].most >= 4), "%#lx", cases[i].port);
    }
    cr_assert(eq(int, execute("\xe4\xf8", 2, 0, 0x3f8), 0), "the port is in the instruction");
    process.device_count = 0;
    cr_assert(eq(int, execute("\xec", 1, 0, 0x3f8), 0));
}

Test(port, other_instructions)
{
    static const char *const codes[] = {"\xfa", "\xf4", "\x6c", "\x6e", "\xf3\x6c", "\xcd\x30", "\x0f\x30"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        cr_assert(eq(int, execute(codes[i], strlen(codes[i]), 0, 0x3f8), 0));
    thread.frame.error = 0;
    memcpy(text + 64, "\xec", 1);
    thread.frame = (struct frame){.rip = TEXT + 64, .rdx = 0x3f8, .error = 0x1b};
    cr_assert(eq(int, port_execute(&thread), 0), "a fault that names a selector is another one");
}

Test(port, instructions_elsewhere)
{
    memset(data, 0xec, BYTES);
    cr_assert(eq(int, at(DATA, 0, 0x3f8), 0), "data is not executed");
    cr_assert(eq(int, at(TEXT - 1, 0, 0x3f8), 0));
    cr_assert(eq(int, at(TEXT + BYTES, 0, 0x3f8), 0));
    cr_assert(eq(int, at(0, 0, 0x3f8), 0));
    cr_assert(eq(int, at(UINT64_MAX, 0, 0x3f8), 0));
    cr_assert(eq(int, at((uint64_t)text, 0, 0x3f8), 0), "a kernel address");
    text[BYTES - 1] = 0xec;
    cr_assert(at(TEXT + BYTES - 1, 0, 0x3f8));
    text[BYTES - 1] = 0xe4;
    cr_assert(eq(int, at(TEXT + BYTES - 1, 0, 0x3f8), 0), "it would end in the next page");
    text[BYTES - 1] = 0x66;
    cr_assert(eq(int, at(TEXT + BYTES - 1, 0, 0x3f8), 0));
}
