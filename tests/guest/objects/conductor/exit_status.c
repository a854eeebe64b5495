/* SPDX-License-Identifier: MIT
 * The story: a supervisor learns how its service ended: the code that it gave, or which exception it was, at which
 * address and in which instruction, or that it made a call from outside the vDSO. */
#include "conductor.h"

#define PAGE_FAULT 14
#define SERVER_SLOT (USER_PROCESS_BASE + 2 * USER_PROCESS_STRIDE) /* server_1 is the third process */

enum { PC_IN_PROGRAM = 1, PC_AT_ADDRESS };

static const struct ending {
    const char *what;
    const struct order *order;
    enum exit_kind kind;
    int code;
    uint32_t exception;
    uint64_t address;
    int pc;
} endings[] = {
    {"code", CALL(process_exit, 42), EXIT_CODE, 42, 0, 0, 0},
    {"code 0", CALL(process_exit, 0), EXIT_CODE, 0, 0, 0, 0},
    {"negative code", CALL(process_exit, (uint64_t)-3), EXIT_CODE, -3, 0, 0, 0},
    {"value of main", DO(RETURN, 9), EXIT_CODE, 9, 0, 0, 0},
    {"code of the last thread", CALL(thread_exit, 11), EXIT_CODE, 11, 0, 0, 0},
    {"read", DO(PEEK, 0x10008), EXIT_EXCEPTION, 0, PAGE_FAULT, 0x10008, PC_IN_PROGRAM},
    {"write", DO(POKE, 0x10010), EXIT_EXCEPTION, 0, PAGE_FAULT, 0x10010, PC_IN_PROGRAM},
    {"kernel read", DO(FAULT, FAULT_KERNEL_READ), EXIT_EXCEPTION, 0, PAGE_FAULT, 0xffffffff80200000, PC_IN_PROGRAM},
    {"jump to 0", DO(FAULT, FAULT_NULL_JUMP), EXIT_EXCEPTION, 0, PAGE_FAULT, 0, PC_AT_ADDRESS},
    {"not canonical", DO(FAULT, FAULT_NON_CANONICAL), EXIT_EXCEPTION, 0, 13, 0, PC_IN_PROGRAM},
    {"divide by 0", DO(FAULT, FAULT_DIVIDE_ERROR), EXIT_EXCEPTION, 0, 0, 0, PC_IN_PROGRAM},
    {"ud2", DO(FAULT, FAULT_INVALID_OPCODE), EXIT_EXCEPTION, 0, 6, 0, PC_IN_PROGRAM},
    {"int3, whose gate is not for ring 3", DO(FAULT, FAULT_BREAKPOINT), EXIT_EXCEPTION, 0, 13, 0, PC_IN_PROGRAM},
};

static void check_pc(const struct ending *e, const struct exit_status *s)
{
    if (e->pc == PC_AT_ADDRESS)
        check_u64("pc", s->pc, s->address);
    if (e->pc == PC_IN_PROGRAM)
        check_u64("slot of the pc", s->pc & ~(uint64_t)(USER_PROCESS_STRIDE - 1), SERVER_SLOT);
}

static void end(const struct ending *e)
{
    tern_log("  %s", e->what);
    puppet_begin(&server_1, e->order);
    struct exit_status s = puppet_join(&server_1);
    check_u64("kind", s.kind, e->kind);
    check_u64("code", (uint64_t)s.code, (uint64_t)e->code);
    check_u64("exception", s.exception, e->exception);
    check_u64("address", s.address, e->address);
    check_pc(e, &s);
    puppet_start(&server_1);
}

static void end_by_bad_origin(void)
{
    puppet_begin(&server_1, DO(FAULT, FAULT_BARE_SYSCALL));
    struct exit_status s = puppet_join(&server_1);
    check_u64("kind", s.kind, EXIT_BAD_ORIGIN);
    check_u64("number", s.error, 0);
    check_u64("slot of the pc", s.pc & ~(uint64_t)(USER_PROCESS_STRIDE - 1), SERVER_SLOT);
    puppet_start(&server_1);
}

static int page_fault_errors(uint64_t address)
{
    struct exit_status s = puppet_join(&server_1);
    puppet_start(&server_1);
    check_u64("address", s.address, address);
    return (int)s.error;
}

/* Bits of the CPU's error code: 1 page was there, 2 a write, 4 from ring 3, 16 an instruction. */
static void check_error_codes(void)
{
    puppet_begin(&server_1, DO(PEEK, 0x10000));
    check_u64("read of nothing", (uint64_t)page_fault_errors(0x10000), 4);
    puppet_begin(&server_1, DO(POKE, 0x10000));
    check_u64("write of nothing", (uint64_t)page_fault_errors(0x10000), 6);
    puppet_begin(&server_1, DO(POKE, USER_VVAR_BASE));
    check_u64("write of a page that is read-only", (uint64_t)page_fault_errors(USER_VVAR_BASE), 7);
}

void story_exit_status(void)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        end(&endings[i]);
    end_by_bad_origin();
    check_error_codes();
    check_server_works(&server_1, HANDLE_CALL_1);
}
