/* SPDX-License-Identifier: MIT
 * The kernel's endpoint.c once more, under other names and with its fast paths impossible: whatever it expects to hold
 * does not. The headers come first, so that only expectations written in endpoint.c itself are lost. */
#include "ipc/copy.h"
#include "ipc/endpoint.h"
#include "ipc/endpoint_internal.h"
#include "sched/sched.h"
#include "sys/lib/panic.h"
#include "tests/unit/ipc/endpoint_world.h"

extern typeof(endpoint_nobody) slow_nobody;
typeof(endpoint_post) slow_post;
typeof(endpoint_withdraw) slow_withdraw;
typeof(endpoint_deliver) slow_deliver;
typeof(endpoint_read) slow_read;
typeof(endpoint_complete) slow_complete;
typeof(endpoint_respond) slow_respond;
typeof(endpoint_expire) slow_expire;
typeof(endpoint_stop) slow_stop;

#define endpoint_nobody slow_nobody
#define endpoint_post slow_post
#define endpoint_withdraw slow_withdraw
#define endpoint_deliver slow_deliver
#define endpoint_transact slow_transact
#define endpoint_read slow_read
#define endpoint_complete slow_complete
#define endpoint_respond slow_respond
#define endpoint_respond_and_wait slow_respond_and_wait
#define endpoint_expire slow_expire
#define endpoint_stop slow_stop
#define __builtin_expect(condition, expected) ((condition) && 0)

#include "ipc/endpoint.c"
