/* SPDX-License-Identifier: MIT
 * Modules of the router that a process serves: a channel handler whose initiator is the kernel's, on the same CPU. A
 * request that the router hands over becomes a transaction, of "TYPE" or "TYPE PAYLOAD"; the answer begins with a
 * 32-bit status, the outcome, and the rest is its text. The router gives one at a time, and others wait in its mailbox
 * until the process has answered, however long that takes. What only router_send could wait for is UNIMPLEMENTED.
 *
 * When the process stops, requests are answered UNAVAILABLE and the module is gone; when it starts again it is back.
 * Home CPU, unless it says otherwise. Legend: [I] fixed after boot, [o] home CPU only. */
#pragma once
#include <stdbool.h>
#include "ipc/endpoint.h"
#include "ipc/router.h"

#define USER_MODULE_FIRST (ROUTER_MODULES_MAX - IMAGE_MODULES_MAX) /* their ids; those below are the kernel's */
#define USER_MODULE_PAYLOAD_BYTES 1024
#define USER_MODULE_ANSWER_BYTES 2048

struct user_module {
    struct endpoint initiator;
    struct kernel_waiter over; /* hears of the end of its transactions */
    struct router_module router;
    char request[ROUTER_TYPE_BYTES + USER_MODULE_PAYLOAD_BYTES]; /* [o] the handler reads it */
    char answer[sizeof(uint32_t) + USER_MODULE_ANSWER_BYTES];    /* [o] the handler has written it */
};

/* `module`, all zero, gets the handler `h`, which has no peer yet. `number`: the image's modules counted. Boot. */
void user_module_load(struct user_module *module, struct endpoint *h, const char *name, uint32_t number);

/* Registers it on its CPU, before threads run there. Errors: of router_register. Boot CPU. */
enum status user_module_register(struct user_module *module);

/* The module that a channel's handler serves, or NULL. */
struct user_module *user_module_of(const struct endpoint *h);

/* Its process stops, before its handler does; its process has started, and its handler. */
void user_module_stop(struct user_module *module);
void user_module_start(struct user_module *module);
