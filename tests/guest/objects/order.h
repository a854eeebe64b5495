/* SPDX-License-Identifier: MIT
 * What the conductor of the objects test asks a puppet to do. A puppet is a process that makes any system call it is
 * told to, in its own address space, and reports what came of it: so a story about two processes stands in one file.
 * The caller is the initiator of its channels to the conductor, so it fetches its orders by a call as well; a server is
 * the handler of its channels, and gets them as requests. */
#pragma once
#include "tests/guest/check.h"
#include "user/rt/message.h"

enum deed {
    DEED_READY,   /* nothing: reports that it has started */
    DEED_CALL,    /* system call `number` with a[] */
    DEED_FILL,    /* a[1] bytes at a[0] become those of seed a[2] */
    DEED_COMPARE, /* how many of the a[1] bytes at a[0] are, from the start, those of seed a[2] */
    DEED_POKE,    /* writes a[1] at a[0] */
    DEED_PEEK,    /* reads 8 bytes at a[0] */
    DEED_FAULT,   /* fault a[0] of tests/guest/fault/faults.def */
    DEED_SPIN,    /* for ever */
    DEED_RETURN,  /* from main, with a[0] */
    DEED_POLL, /* echoes requests of a[1] without ever waiting, reads until there is one; the word a[0] is the last */
    DEED_RACE, /* answers requests of a[1] when they say, keeps what came of each at a[2]; index a[0] is the last */
    DEED_ECHO, /* serves a[0] requests of a[1], each a word that comes back with a[2] added */
    DEED_COLLECT, /* server only: the report of the order that was only begun */
};

/* `begin`, server only: report at once, do it then; DEED_COLLECT fetches what came of it. */
TERN_MESSAGE(order, 64, uint32_t deed; uint32_t number; uint64_t begin; uint64_t a[6];);

TERN_MESSAGE(race_request, 16, uint64_t due_ns; uint64_t index;);

TERN_MESSAGE(report, 16, uint32_t status; uint32_t signals; uint64_t value;);

/* An argument that is an address in the puppet: of its memory, or of a function for thread_start. */
#define PLACE_TAG UINT64_C(0x4d454d0000000000)
#define MEMORY(offset) (PLACE_TAG | (offset))
#define FUNCTION(n) (PLACE_TAG | UINT64_C(0x100000000) | (n))
#define PUPPET_MEMORY_BYTES 16384

enum puppet_function {
    FUNCTION_ENTRY,  /* tern_thread_entry, which calls one of the others with the second argument of thread_start */
    FUNCTION_RETURN, /* returns its argument */
    FUNCTION_SPIN,   /* never returns */
    FUNCTION_WRITE,  /* writes 77 to the address that is its argument, returns 42 */
    FUNCTION_WAIT,   /* waits for USER on the handle that is its argument, returns 7 */
    FUNCTION_FAULT,  /* reads the address that is its argument */
};

enum call_number {
#define DEFINE_SYSCALL(number, name, ...) CALL_##name = (number),
#include "sys/abi/syscalls.def"
#undef DEFINE_SYSCALL
};

/* Handles of the puppets (objects.json5). */
enum { CALLER_CONTROL, CALLER_IPC, CALLER_IPC_2, CALLER_GROUP, CALLER_PROCESS };
enum { SERVER_CONTROL, SERVER_IPC, SERVER_GROUP, SERVER_PROCESS };
enum { WORKSHOP_WORKER_1 = SERVER_PROCESS, WORKSHOP_WORKER_2, WORKSHOP_PROCESS }; /* server 3 */

/* The nth byte of what is filled with `seed`. */
static inline unsigned char fill_byte(size_t n, uint64_t seed)
{
    return (unsigned char)(n * 29 + seed * 11 + (n >> 8) + 1);
}
