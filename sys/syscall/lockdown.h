/* SPDX-License-Identifier: MIT
 * The hook `lockdown`: while it is on, the table of calls stays as it is: syscall_register and syscall_unregister are
 * PERMISSION_DENIED for every process, before their arguments are looked at. What is registered can be called. */
#pragma once
#include "sys/syscall/hook.h"

extern struct syscall_hook lockdown_hook;
