/* SPDX-License-Identifier: MIT
 * What a user program sees of Tern: the system calls (stubs in the vDSO, no instruction of a program enters the
 * kernel), the clock, the log, and a verdict. The numbers behind these names are in sys/abi/syscalls.def. A program is
 * a main() and its threads; handles are the HANDLE_* constants that the image generator writes for its process.
 * Deadlines are nanoseconds since boot as clock_now gives them; one that is past polls, TIME_MAX waits for ever. */
#pragma once
#include "sys/abi/event.h"
#include "sys/abi/exit_status.h"
#include "sys/abi/layout.h"
#include "sys/abi/piece.h"
#include "sys/abi/signals.h"
#include "sys/abi/status.h"
#include "sys/abi/syscall_stats.h"
#include "sys/abi/vvar.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIME_MAX UINT64_MAX

/* In RAX:RDX. `signals` and `value` have a meaning only when status is OK. */
struct [[nodiscard]] result {
    enum status status;
    uint32_t signals; /* of object_wait, and of channel_respond_and_wait on a group; otherwise 0 */
    uint64_t value;
};

/* Every argument is 64 bits of a register, and all of them count (but of an exit code): with narrower types here a
 * compiler might leave anything in the rest. Errors of every call with a handle: OUT_OF_RANGE no such handle,
 * UNIMPLEMENTED its object has no such operation. Of every call with a buffer, unless its length is 0: INVALID_ARGUMENT
 * null, PERMISSION_DENIED not wholly inside one region of this process that may be read (or written). An error leaves
 * buffers as they were; but a request that its initiator on another CPU withdraws while it is being copied may leave
 * some of its bytes in the buffer of who reads or waits.
 *
 * Where it says "pieces", a buffer may be in up to 8 pieces: the address is that of an array of struct user_piece and
 * the length is PIECES(n). OUT_OF_RANGE: more than 8. */
#define PIECES(n) ((size_t) - (ptrdiff_t)(n))

/* Sends n bytes, waits for the response; value: its length, at most m. The buffers may overlap, and be in pieces.
 * DEADLINE_EXCEEDED: no response in time, and none will be written later. CANCELLED: likewise, by another thread's
 * channel_async_cancel. UNAVAILABLE: the handler's process is gone. FAILED_PRECONDITION: a transaction is under way on
 * this end already. */
struct result channel_transact(uint64_t handle, const void *send, size_t n, void *receive, size_t m,
                               uint64_t deadline_ns);

/* Copies up to n bytes (pieces) of the pending request from `offset`; value: how many. The request stays pending.
 * OUT_OF_RANGE: offset is past its end. UNAVAILABLE: none is pending; or, once, the one that was read has been
 * withdrawn (its initiator gave up or died), although the next may be pending already. */
struct result channel_read(uint64_t handle, size_t offset, void *buffer, size_t n);

/* Answers the pending request with n bytes (pieces), once, after it was read (zero bytes of it are enough): so an
 * answer can never reach another request than the one that was read last. It may come at any time, from any thread;
 * threads that share a handler, and would answer what another one read when theirs was withdrawn, share a group
 * instead. OUT_OF_RANGE: the initiator's buffer is shorter than n, and the request stays pending. UNAVAILABLE: nothing
 * that was read is pending (answered already, timed out, or the initiator is gone). */
struct result channel_respond(uint64_t handle, const void *buffer, size_t n);

/* channel_respond, then waits for the next request and reads up to m bytes of it; value: its whole length. A null
 * response only waits. If the answer is refused, nothing is waited for.
 *
 * With the handle of a wait group it answers the request that this thread took last through the group, then waits for a
 * request of any member, or another signal of one; value: the member's user data. If result_is_request, up to m bytes
 * are in `receive`, and result_length is the request's whole length; otherwise `signals` are the member's, as from
 * object_wait, except that ERROR is told once. A request that was taken is not given again: its answer may also come
 * later, by channel_respond with the member's own handle. INVALID_ARGUMENT: the group has no member. */
struct result channel_respond_and_wait(uint64_t handle, const void *response, size_t n, void *receive, size_t m,
                                       uint64_t deadline_ns);

static inline bool result_is_request(struct result r)
{
    return r.signals & RESULT_REQUEST;
}
static inline uint32_t result_length(struct result r)
{
    return r.signals & ~RESULT_REQUEST;
}

/* Waits until a signal of `mask` is active; signals: all that are. sys/abi/signals.h says when each one is. Of a wait
 * group, with READABLE: waits for a member, and value is its user data; the longest signalled one comes first.
 * INVALID_ARGUMENT: no bit, or one that is no signal; or the group has no member. A histogram cannot be waited for:
 * UNIMPLEMENTED. */
struct result object_wait(uint64_t handle, uint64_t mask, uint64_t deadline_ns);

/* A transaction without waiting: READABLE says that it is over, channel_async_complete collects it; value: bytes of the
 * response. The buffers (pieces) belong to it until then. Errors of the start: as channel_transact. Of complete:
 * FAILED_PRECONDITION it is not over yet; UNAVAILABLE there is none, or the handler died. channel_async_cancel ends
 * whatever is under way on this end, answered or not, and the buffers are free; another thread's channel_transact gives
 * CANCELLED. UNAVAILABLE: nothing is under way. */
struct result channel_async_transact(uint64_t handle, const void *send, size_t n, void *receive, size_t m);
struct result channel_async_complete(uint64_t handle);
struct result channel_async_cancel(uint64_t handle);

/* Makes an object a member of a wait group, with signals to look for and a value to be told. INVALID_ARGUMENT: no bit,
 * an invalid one, or a group in a group; UNIMPLEMENTED: it has no signals; RESOURCE_EXHAUSTED: it is in a group.
 * wait_group_remove: NOT_FOUND, it is not in this one. Who waits for a group whose last member goes gets
 * INVALID_ARGUMENT. */
struct result wait_group_add(uint64_t group, uint64_t object, uint64_t mask, uint64_t user_data);
struct result wait_group_remove(uint64_t group, uint64_t object);

/* Notifications, of either end of a channel to the other, whatever transaction is under way. USER is on at the other
 * end while it was set, or while bits are there. object_take waits for bits and takes them all; value: them.
 * UNAVAILABLE: the other process is gone. */
struct result object_set_peer_user_signal(uint64_t handle, uint64_t on);
struct result object_notify(uint64_t handle, uint64_t bits);
struct result object_take(uint64_t handle, uint64_t deadline_ns);

/* Lowers INTERRUPT signals and lets those interrupts fire again. One that came since the signal was raised raises it
 * again now, so a driver may look at its device before or after. INVALID_ARGUMENT: a bit that is none. */
struct result interrupt_ack(uint64_t handle, uint64_t mask);

/* Interrupts from 240 on have no line. A PCI device fires one by a message (MSI, MSI-X), a write of 32 bits that its
 * driver sets up; value: the address, and above it, << 32, the data. NOT_FOUND: the number is not of this object, or
 * has a line; UNIMPLEMENTED: messages do not reach this CPU. */
struct result interrupt_message(uint64_t handle, uint64_t number);

/* The kernel's event bus (sys/abi/event.h), for an object that is an event subscription. READABLE says that events are
 * kept. Moves them into `events`, oldest first, as many whole ones as n bytes hold. UNAVAILABLE: there is none.
 * OUT_OF_RANGE: n is less than one event. When as many are kept as the subscription's depth, later ones are lost, and
 * the next read tells how many. */
struct result event_read(uint64_t handle, struct event *events, size_t n);

static inline uint32_t result_events(struct result r)
{
    return (uint32_t)r.value;
}
static inline uint32_t result_lost(struct result r)
{
    return (uint32_t)(r.value >> 32);
}

/* Sends a request to a module by the kernel's router, and waits for its answer; a router allows one at a time. The n
 * bytes of text, at most 512, are "MODULE TYPE", or "MODULE TYPE PAYLOAD" with anything as payload; the answer is a
 * text, of kernel modules in JSON. The status is the module's outcome; with OK, up to m bytes of the answer are in
 * `answer`, and value is its whole length, at most 2048. NOT_FOUND: no such module. INVALID_ARGUMENT: no two words, or
 * a type above 31 bytes. UNAVAILABLE: the module's process died. RESOURCE_EXHAUSTED: too many wait for the module.
 * DEADLINE_EXCEEDED: no answer in time; the request goes on, and until it is over the next one on this handle is
 * FAILED_PRECONDITION. WRITEABLE: none is under way. */
struct result router_request(uint64_t handle, const char *request, size_t n, char *answer, size_t m,
                             uint64_t deadline_ns);

/* Processes and threads. A handle of another process, or of a thread of this one, is JOINABLE when that has ended;
 * task_join tells how (n bytes of struct exit_status) and makes it ready to be started again: a process from its
 * beginning, its memory and its channels as at boot. Start: ALREADY_EXISTS it runs, FAILED_PRECONDITION it was not
 * joined, UNAVAILABLE its CPU is off line. Terminate: FAILED_PRECONDITION it does not run. Join: UNAVAILABLE it runs,
 * FAILED_PRECONDITION it never did, or was joined. HANDLE_PROCESS is the calling process itself. A process ends with
 * its last thread; the value of main is the code of process_exit. thread_start enters at `entry` (INVALID_ARGUMENT: no
 * user address) with RSP at the top of the thread's own stack: programs use tern_thread_start. */
_Noreturn void process_exit(int code);
struct result process_start(uint64_t handle);
struct result task_terminate(uint64_t handle);
struct result task_join(uint64_t handle, struct exit_status *status, size_t n);
struct result thread_start(uint64_t handle, uint64_t entry, uint64_t a0, uint64_t a1);
_Noreturn void thread_exit(int code);
void thread_yield(void);

/* Starts a thread in `entry(argument)`; it ends when that returns, with its value as code. */
struct result tern_thread_start(uint64_t handle, int (*entry)(uint64_t argument), uint64_t argument);

/* Returns at or after the deadline. */
#define tern_sleep_until(deadline_ns) tern_sleep_on(HANDLE_PROCESS, deadline_ns)
void tern_sleep_on(uint64_t own_process, uint64_t deadline_ns);

/* channel_read of exactly n bytes. OUT_OF_RANGE: the request has fewer from `offset` on. */
struct result tern_read_exact(uint64_t handle, size_t offset, void *buffer, size_t n);

/* One bounded step of writing the histogram as an interval-log line. `text` is "NAME key=value key=value ...": the
 * line's tag, then words kept with it. UNAVAILABLE: more steps remain, call again with the same text. OK: all is
 * written. */
struct result histogram_export(uint64_t handle, const char *text, size_t n);

/* Calls that come and go at run time. syscall_register gives a number to a call that the kernel has under `name`. There
 * are `add`, two values -> their sum, and `sum`, a struct sum_request (sys/abi/examples.h) and its size -> the sum of
 * the values. OUT_OF_RANGE number > 511, ALREADY_EXISTS taken, NOT_FOUND no such name. syscall_unregister takes it
 * back: OUT_OF_RANGE; NOT_FOUND nothing there; PERMISSION_DENIED it is there from boot; a call under way ends as usual.
 * syscall_lookup, value: the lowest number with that name; NOT_FOUND. They are made by extension_call. */
struct result syscall_register(uint64_t number, const char *name, size_t n);
struct result syscall_unregister(uint64_t number);
struct result syscall_lookup(const char *name, size_t n);

/* Makes a call that was registered at run time. OUT_OF_RANGE number > 511, UNIMPLEMENTED nothing is there, and what the
 * call itself gives. A number that is there from boot has its own function: with it here the process stops. */
struct result extension_call(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                             uint64_t a5);

/* Up to n bytes of the number's statistics; value: how many. OUT_OF_RANGE number > 511. */
struct result syscall_stats(uint64_t number, struct syscall_stats *stats, size_t n);

/* Switches the hook `audit`, `latency` or `lockdown` (while it is on, syscall_register and syscall_unregister are
 * PERMISSION_DENIED) on or off on all CPUs. UNAVAILABLE: the change is under way, call again until
 * OK. NOT_FOUND no such hook; RESOURCE_EXHAUSTED no memory was left for it at boot. */
struct result syscall_hook(const char *name, size_t n, uint64_t on);

/* Bytes, or one code point, to the kernel's log. */
struct result debug_log(const char *bytes, size_t n);
struct result debug_putc(uint64_t code_point);
_Noreturn void debug_shutdown(uint64_t status);         /* enum status */
struct result debug_trigger_interrupt(uint64_t number); /* as if it had fired; NOT_FOUND: nobody has it */
struct result debug_clock_now(void);                    /* value: nanoseconds since boot, by the kernel */
/* A bench of the kernel's own parts, by its name (perf/bench/kernel/): fills ticks, at most 64 in one call; value: how
 * many. FAILED_PRECONDITION: this process is not on CPU 0, or the bench needs a CPU that does not run; NOT_FOUND. */
struct result debug_measure(const char *name, size_t n, uint64_t *ticks, size_t bytes);
void debug_nop(void);

/* In the vDSO, without the kernel. */
uint64_t clock_now(void); /* nanoseconds since boot */
uint32_t cpu_id(void);
uint64_t features(void);

/* The time stamp counter. Nothing earlier in the program is still under way when it is read, and it is one block, so
 * that the compiler moves no part of it into or out of a measured interval. */
static inline uint64_t rdtsc_ordered(void)
{
    uint64_t ticks;
    __asm__ volatile("lfence\n\trdtsc\n\tshlq $32, %%rdx\n\torq %%rdx, %%rax" : "=a"(ticks)::"rdx", "memory");
    return ticks;
}

static inline const struct vvar *tern_vvar(void)
{
    return (const struct vvar *)USER_VVAR_BASE;
}

/* The hypervisor counts the time that it takes from CPUs. */
static inline bool steal_is_counted(void)
{
    return tern_vvar()->steal_offset != VVAR_NO_STEAL;
}

/* Nanoseconds for which this process's CPU was ready to run and did not; grows. Only where steal_is_counted. The
 * hypervisor writes it before it lets the CPU run again, so a plain load is whole. */
static inline uint64_t stolen_ns(void)
{
    const uint64_t area = USER_STEAL_BASE + (uint64_t)tern_vvar()->cpu * STEAL_AREA_BYTES;
    uint64_t ns;
    __asm__ volatile("movq %1, %0" : "=r"(ns) : "m"(*(const uint64_t *)(area + tern_vvar()->steal_offset)));
    return ns;
}

extern uint64_t tern_start_tsc; /* TSC at this process's first instruction */

/* The value of `key=value` on the kernel's command line, the last one if several; false, and `value` empty, if there is
 * none or it does not fit in n bytes. */
bool tern_argument(const char *key, char *value, size_t n);
/* The same as a decimal number; `otherwise` if absent or not a number. */
uint64_t tern_argument_u64(const char *key, uint64_t otherwise);

/* One line to the kernel's log: formats as sys/lib/printf.h, cut at 255 bytes. */
void tern_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

const char *tern_status_name(enum status status);

/* A verdict line, then the machine stops, with all processes; ./tern reads the line. `status` of a failure that is OK
 * is taken as UNKNOWN. */
_Noreturn void tern_success(void);
_Noreturn void tern_failure(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says what is wrong and in which line of the program, then ends the calling process alone, with an exit code that
 * nothing else uses. Its peers and its supervisor learn of it as of any end. */
#define TERN_EXIT_PANIC 101
#define tern_panic(...) tern_panic_at(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void tern_panic_at(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
