/* SPDX-License-Identifier: MIT
 * PCI configuration space through ports 0xcf8/0xcfc, just enough to find one device and the memory behind its BARs.
 * Bridges are followed as the firmware numbered them; nothing is assigned or renumbered. Deliberately absent: ECAM,
 * interrupts, MSI. Boot CPU, at boot. */
#pragma once
#include <arch/memory.h>
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

struct pci_function {
    uint8_t bus;
    uint8_t device;   /* 0..31 */
    uint8_t function; /* 0..7 */
};

/* A memory BAR that the firmware has placed. */
struct pci_bar {
    paddr_t base;
    uint64_t bytes; /* a power of two; base is a multiple of it */
};

/* Whether this machine answers at 0xcf8 at all; microvm does not. */
bool pci_present(void);

/* `offset` is rounded down to a multiple of 4; absent functions read as all ones. */
uint32_t pci_read32(struct pci_function f, uint32_t offset);
void pci_write32(struct pci_function f, uint32_t offset, uint32_t value);
uint16_t pci_read16(struct pci_function f, uint32_t offset);
uint8_t pci_read8(struct pci_function f, uint32_t offset);

/* Calls visit(f, context) for every function present, until it returns true. Each bus is visited at most once. */
void pci_visit(bool (*visit)(struct pci_function f, void *context), void *context);

/* Finds size and place of memory BAR `index`. INVALID_ARGUMENT for an index past 5 or an I/O BAR, OUT_OF_RANGE if the
 * BAR is unplaced, misaligned or wraps. Memory decoding is off for the moment of the probe and left as it was. */
enum status pci_bar_read(struct pci_function f, unsigned index, struct pci_bar *out);

/* Lets the device answer memory accesses and do DMA, and keeps it from raising its interrupt pin. */
void pci_enable(struct pci_function f);
