/* SPDX-License-Identifier: MIT
 * A program for the host: prints the binary interface as a text to compare (`abi`), or as a manual (`manual`), both from
 * the headers in sys/abi/. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "sys/abi/event.h"
#include "sys/abi/exit_status.h"
#include "sys/abi/histogram.h"
#include "sys/abi/image.h"
#include "sys/abi/layout.h"
#include "sys/abi/piece.h"
#include "sys/abi/signals.h"
#include "sys/abi/syscall_stats.h"
#include "sys/abi/vvar.h"

#define VALUE(name) #name
#define HANDLE(name, type) #name ": handle of " #type
#define EITHER(name, type, other) #name ": handle of " #type " or " #other
#define END(name) #name ": handle of either end of a channel"
#define IN_PIECES(name) #name ": in, or pieces"
#define OUT_PIECES(name) #name ": out, or pieces"
#define IN(name, most) #name ": in, at most " #most
#define IN_OR_NULL(name, most) #name ": in or null, at most " #most
#define OUT(name, most) #name ": out, at most " #most
#define LENGTH(name) #name ": its length"
#define FLAGS(name, mask) #name ": bits of " #mask
#define RANGE(name, least, most) #name ": " #least " to " #most
#define STRING(name, most) #name ": text, at most " #most
#define DEADLINE(name) #name ": deadline"
#define NONE NULL

static const struct call {
    int number, count;
    const char *name, *sentence, *value, *arguments[6];
} calls[] = {
#define DEFINE_SYSCALL(number, name, count, a0, a1, a2, a3, a4, a5, sentence, value)                                   \
    {number, count, #name, sentence, value, {a0, a1, a2, a3, a4, a5}},
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
};

static const struct {
    int code;
    const char *name, *sentence;
} statuses[] = {
#define STATUS(name, code, sentence) {code, #name, sentence},
#include "sys/abi/status.def"
#undef STATUS
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void print_arguments(const struct call *c, const char *between)
{
    for (int i = 0; i < c->count; i++)
        printf("%s%s", i ? between : "", c->arguments[i]);
}

static void print_number(const char *name, unsigned long long value)
{
    printf("%s %#llx\n", name, value);
}
#define PRINT(expression) print_number(#expression, (unsigned long long)(expression))

static void print_layout(void)
{
    PRINT(USER_VVAR_BASE), PRINT(USER_VDSO_BASE), PRINT(USER_CALLS_BASE), PRINT(USER_CALLS), PRINT(USER_CALL_BYTES);
    PRINT(USER_PROCESS_BASE), PRINT(USER_PROCESS_STRIDE), PRINT(USER_PROCESS_MAX), PRINT(USER_END);
    PRINT(USER_HISTOGRAM_OFFSET), PRINT(USER_STACK_OFFSET), PRINT(USER_DEVICE_OFFSET);
    PRINT(VVAR_MAGIC), PRINT(sizeof(struct vvar)), PRINT(offsetof(struct vvar, tsc_base));
    PRINT(offsetof(struct vvar, ns_mult)), PRINT(offsetof(struct vvar, sample_mult));
    PRINT(offsetof(struct vvar, entry_tsc)), PRINT(offsetof(struct vvar, features)), PRINT(offsetof(struct vvar, cpu));
    PRINT(offsetof(struct vvar, cpu_count)), PRINT(offsetof(struct vvar, process)), PRINT(offsetof(struct vvar, unit));
    PRINT(offsetof(struct vvar, arguments)), PRINT(VVAR_FEATURE_SYSENTER), PRINT(VVAR_FEATURE_TSC_INVARIANT);
    PRINT(VVAR_FEATURE_HYPERVISOR), PRINT(IMAGE_VERSION), PRINT(sizeof(struct image_header));
    PRINT(sizeof(struct image_process)), PRINT(sizeof(struct image_region)), PRINT(sizeof(struct image_thread));
    PRINT(sizeof(struct image_object)), PRINT(sizeof(struct image_interrupt)), PRINT(sizeof(struct image_device));
    PRINT(sizeof(struct image_subscription)), PRINT(sizeof(struct event)), PRINT(EVENT_KINDS), PRINT(TOPIC_TIMER);
    PRINT(TOPIC_PROCESS), PRINT(TOPIC_MEMORY), PRINT(TOPIC_INTERRUPT), PRINT(TOPIC_SYSTEM), PRINT(TOPIC_ALL);
    PRINT(sizeof(struct histogram)), PRINT(sizeof(struct syscall_stats));
    PRINT(SIGNAL_READABLE), PRINT(SIGNAL_WRITEABLE), PRINT(SIGNAL_ERROR), PRINT(SIGNAL_JOINABLE), PRINT(SIGNAL_USER);
    PRINT(SIGNAL_INTERRUPT_A), PRINT(SIGNAL_VALID), PRINT(RESULT_REQUEST), PRINT(sizeof(struct exit_status));
    PRINT(sizeof(struct user_piece)), PRINT(USER_PIECES_MAX), PRINT(EXIT_CODE), PRINT(EXIT_EXCEPTION);
    PRINT(EXIT_TERMINATED), PRINT(EXIT_BAD_ORIGIN), PRINT(EXIT_PROCESS);
}

static void print_abi(void)
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        printf("call %d %s(", calls[i].number, calls[i].name);
        print_arguments(&calls[i], "; ");
        printf(")\n");
    }
    for (size_t i = 0; i < COUNT(statuses); i++)
        printf("status %d %s\n", statuses[i].code, statuses[i].name);
    print_layout();
}

static void print_manual(void)
{
    printf("# System calls of Tern\n\n"
           "Made from sys/abi/syscalls.def and status.def. Number in RAX, arguments in RDI RSI RDX R10 R8 R9, result in\n"
           "RAX (status) and RDX (value); RCX R8 R9 R10 R11 RSI RDI are lost. Programs call the functions of the vDSO, whose\n"
           "C prototypes and errors are in user/rt/tern.h. Arguments are checked in order; the first wrong one decides.\n\n"
           "| number | call | arguments | what it does | value |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < COUNT(calls); i++) {
        printf("| %d | `%s` | ", calls[i].number, calls[i].name);
        print_arguments(&calls[i], "<br>");
        printf(" | %s | %s |\n", calls[i].sentence, calls[i].value);
    }
    printf("\n| status | name | meaning |\n|---|---|---|\n");
    for (size_t i = 0; i < COUNT(statuses); i++)
        printf("| %d | `%s` | %s |\n", statuses[i].code, statuses[i].name, statuses[i].sentence);
}

int main(int argc, char **argv)
{
    if (argc != 2 || (strcmp(argv[1], "abi") && strcmp(argv[1], "manual"))) {
        fprintf(stderr, "usage: abi_print abi|manual\n");
        return 2;
    }
    if (argv[1][0] == 'a')
        print_abi();
    else
        print_manual();
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
