/* SPDX-License-Identifier: MIT
 * From a checked image to processes: memory, page tables, objects, threads, timers and inboxes, all allocated here
 * once. Boot CPU, before the other CPUs are released. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sched/process.h"
#include "sys/abi/image.h"
#include "sys/abi/status.h"
#include "sys/abi/vvar.h"

/* `vvar` is the template of every process's vvar page. `cpus` run. RESOURCE_EXHAUSTED without memory;
 * FAILED_PRECONDITION if a process wants a CPU that does not run; the log says which. */
enum status load_image(const struct image_header *image, const struct vvar *vvar, uint32_t cpus);

/* The processes' modules become known to the router, after those of the kernel. False: a name is taken; the log says
 * which. */
bool load_register_modules(void);

/* The memory of a stopped process becomes as it was at boot, in bounded steps between other messages; process_loaded
 * follows. Its home CPU. */
struct process;
void load_again(struct process *p);

/* What the image calls an object of one of its processes. */
struct object;
const char *load_object_name(const struct object *o);

/* The processes of the loaded image. */
const struct process *load_processes(uint32_t *count);
