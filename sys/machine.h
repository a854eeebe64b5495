/* SPDX-License-Identifier: MIT
 * What the results must say about the guest: build, hypervisor, clock and its provenance, CPUs. Filled at boot. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct machine {
    const char *protocol;   /* "PVH" or "Multiboot2" */
    const char *cpu_source; /* "MADT", "MP table", "none" */
    uint32_t cpus_started, cpus_found;
    uint64_t tsc_skew_ns; /* largest step backwards between CPUs seen at boot */
    uint64_t entry_tsc;
    const char *cmdline;
};

extern struct machine machine; /* [I] after boot */

/* The `#[Tern environment ...]` lines; returns their length, at most n. */
size_t machine_describe(char *out, size_t n);

#define MACHINE_BUILD_ID_BYTES 20

/* The kernel's build id from its ELF note; zeros without one. */
const uint8_t *machine_build_id_bytes(void);

/* The kernel's build id in hex, 40 digits, from its ELF note; "unknown" without one. */
const char *machine_build_id(void);
