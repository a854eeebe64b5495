/* SPDX-License-Identifier: MIT
 * What the processes of the interrupts test tell each other. */
#pragma once
#include <stdint.h>

/* To interrupts_far: trigger a number so often, then answer; or, with `late`, answer first. */
struct far_request {
    uint32_t number, times, late;
};

/* To interrupts_reborn: answer with the signals that are up (uint32_t); or acknowledge some and answer likewise; or
 * end, with them up. */
enum reborn_verb { REBORN_TELL, REBORN_ACKNOWLEDGE, REBORN_END };
struct reborn_request {
    uint32_t verb, mask;
};
