/* SPDX-License-Identifier: MIT
 * Status codes shared by kernel, user programs and host tools: one enum generated from status.def. */
#ifndef TERN_ABI_STATUS_H
#define TERN_ABI_STATUS_H

#define STATUS(name, code, sentence) STATUS_##name = (code),
enum [[nodiscard]] status {
#include "sys/abi/status.def"
    STATUS_COUNT
};
#undef STATUS

#endif
