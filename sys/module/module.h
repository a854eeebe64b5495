/* SPDX-License-Identifier: MIT
 * Modules of the kernel: what a running machine can be asked, by the host (sys/control.h) and by processes. Each is a
 * table of requests; the answers are JSON objects, and with another status than OK a sentence. They are registered on
 * the boot CPU and run there; what they tell of other CPUs is read without asking these, so it is true roughly now.
 * No answer is longer than ANSWER_BYTES of sys/control.c: lists end when the room does, and then "cut" is true. */
#pragma once
#include "ipc/router.h"
#include "sys/json.h"

#define MODULES_OF_KERNEL 16  /* their ids are below; those of processes' modules are not */
#define MODULE_TAIL_BYTES 192 /* room that a list leaves for what follows it */

struct module_request {
    const char *type;
    const char *help; /* one sentence; ASCII */
    enum status (*run)(struct router_message *m, struct json *j);
};

/* Of sys/module/NAME.c each: its requests but `help`, ended by one without a type. */
extern const struct module_request scheduler_requests[], memory_requests[], clock_requests[], channels_requests[],
    bus_requests[], syscalls_requests[], perf_requests[], cpu_requests[], power_requests[];

/* Boot CPU, when it has a router; before threads run. */
void modules_register(void);

/* There is room for one more element of a list, of at most so many bytes, and for the tail. */
static inline bool module_has_room(const struct router_message *m, size_t bytes)
{
    return m->room - m->answer_bytes > bytes + MODULE_TAIL_BYTES;
}

/* A list `name` with a row for each CPU, of at most `bytes`, and "cut": whether there was room for all. */
void module_write_cpus(struct router_message *m, struct json *j, const char *name, size_t bytes,
                       void (*write)(struct json *j, uint32_t cpu, const void *context), const void *context);

/* There is nothing to tell but that it was done. */
enum status module_done(struct json *j);

/* Who is asked. */
struct router_module *module_of(const struct router_message *m);

/* The writer of an answer. */
struct json module_json(struct router_message *m);

/* The words of a payload: *text and *n move behind the first one, which is given. */
struct module_word {
    const char *text;
    size_t n;
};
struct module_word module_word(const char **text, size_t *n);

/* A decimal number and nothing else; false if it is none, or too large. */
bool module_number(struct module_word w, uint64_t *value);

/* A refusal's sentence. */
enum status module_refuse(struct router_message *m, enum status s, const char *why);
