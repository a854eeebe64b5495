/* SPDX-License-Identifier: MIT
 * The numbers of the faults, for the watcher, which orders them, and the victims. */
#pragma once

enum fault {
#define FAULT(NAME, name, sentence) FAULT_##NAME,
#include "tests/guest/fault/faults.def"
#undef FAULT
    FAULT_COUNT
};
