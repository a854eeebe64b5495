/* SPDX-License-Identifier: MIT
 * The kernel's side of a histogram that a process records into. */
#pragma once
#include "ipc/object.h"
#include "sys/abi/histogram.h"

struct histogram_object {
    struct object object;
    struct histogram *histogram; /* [I] direct map; the process may write anything into it at any time */
};
