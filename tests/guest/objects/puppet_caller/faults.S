/* SPDX-License-Identifier: MIT
 * The faults that a puppet can be told to commit. */
#include "tests/guest/fault/victim/faults.S"
