/* SPDX-License-Identifier: MIT
 * What the fragile service of the supervisor example is asked to do. */
#pragma once
#include "user/rt/message.h"

enum task_kind { TASK_WORK, TASK_PANIC, TASK_FAULT, TASK_EXIT };

TERN_MESSAGE(task_request, 8, uint32_t kind; uint32_t number;);
TERN_MESSAGE(task_response, 8, uint32_t done; uint32_t number;); /* done: by this life of the service */
