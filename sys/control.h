/* SPDX-License-Identifier: MIT
 * The host's way to ask a running machine: the stream org.tern.control takes requests to modules of the router, a
 * line each, and gives answers, a line of JSON each, in the same order, one after the other.
 *
 *   request   [#TAG] MODULE TYPE [PAYLOAD]   the module * is all of them; `help` alone is * help
 *   answer    {"id":1,"tag":"TAG","module":"clock","type":"get_stats","status":"OK","answer":...}
 *   of *      {"id":1,"tag":"TAG","module":"*","type":"get_stats","answers":[{"module":"clock","status":"OK",...},...],
 *              "status":"OK"}
 *
 * The status is the name of the enum's; unless it is OK there is "error", a sentence, instead of "answer". Modules of
 * the kernel answer in JSON, the others in text, which becomes a string. The tag is whatever the host gave, so that it
 * knows its answer from one that an earlier client did not wait for; "id" counts the lines.
 *
 * The port is looked at by CPU 0 at each tick (EVENT_TICK). A machine whose host has announced no such port when the
 * kernel allocates its last memory has no ticks for it, and a port that comes later stays unheard for ever: it could
 * have no queues. Whoever can write to the port may ask for everything: that is the host, which owns the machine. */
#pragma once
#include <stdint.h>

/* If the port is there: its memory and its ticks. Boot CPU, when the router and the modules are there; before
 * page_seal. */
void control_init(void);

/* The host may have sent something: for carriers that announce it. Boot CPU. */
void control_look(void);
