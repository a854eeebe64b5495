/* SPDX-License-Identifier: MIT */
#include "tests/guest/entry/call.S"
