/* SPDX-License-Identifier: MIT
 * The other CPU of a measure between two: CPU 1, which is asked by messages to its inbox. All waits are bounded. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "sys/abi/status.h"

#define PARTNER_CPU 1

/* Runs `f` there and waits until it has. FAILED_PRECONDITION: this is not CPU 0, or there is no such CPU;
 * DEADLINE_EXCEEDED: it does not answer. */
enum status partner_call(void (*f)(void));

/* Runs `f` there, which waits for this CPU; see partner_wait. */
enum status partner_begin(void (*f)(void));

/* Waits until *word is `value`; false if it is not within a second. Either side. */
bool partner_wait(const uint64_t *word, uint64_t value);
