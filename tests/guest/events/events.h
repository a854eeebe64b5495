/* SPDX-License-Identifier: MIT
 * What the judge asks the reader: to wait for so many interrupts in one subscription, then to say what is in the other.
 */
#pragma once
#include <stdint.h>

struct reader_request {
    uint32_t wait_for;
};

/* Of one event_read with room for 8. */
struct reader_answer {
    uint32_t status, count, lost, numbers[8];
};
