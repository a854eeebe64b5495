/* SPDX-License-Identifier: MIT
 * Inside the judge. */
#pragma once
#include "tests/guest/fuzz/fuzz.h"

/* victims.c. Gives one victim one order, if any is left; false: all of them have been through. Ends the test if one
 * comes back with what it cannot have got by legal calls. */
bool victims_step(void);

/* How many jumps there were so far, and how many came back. */
extern uint64_t victim_jumps, victim_returns;
