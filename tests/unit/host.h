/* SPDX-License-Identifier: MIT
 * What every host test links (host.c) and some want to change. */
#pragma once
#include <stdbool.h>

/* The kernel's log says nothing: for tests in which thousands of processes end. A panic is always said. */
extern bool host_log_muted;
