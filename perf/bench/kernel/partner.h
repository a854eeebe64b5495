/* SPDX-License-Identifier: MIT
 * The other CPUs of a measure or a test, which are asked by messages to their inboxes. CPU 0 asks; all waits are
 * bounded. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

/* Begins to run `f` there. FAILED_PRECONDITION: this is not CPU 0, or there is no such CPU. */
enum status partner_begin(uint32_t cpu, void (*f)(void));

/* Waits until what was begun there is over. DEADLINE_EXCEEDED: it does not end. */
enum status partner_end(uint32_t cpu);

/* It is not over yet. */
bool partner_is_busy(uint32_t cpu);

/* Both. */
enum status partner_call(uint32_t cpu, void (*f)(void));

/* Waits until *word is `value`; false if it is not within some seconds. Either side. */
bool partner_wait(const uint64_t *word, uint64_t value);
