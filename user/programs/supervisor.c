/* SPDX-License-Identifier: MIT
 * Keeps services running: one that ends is started again after a pause, which doubles each time, so that one which
 * cannot work does not keep the machine busy; after so many times in a row it is given up. One that ends with code 0
 * has finished.
 *
 * For any image: its objects are the process objects of the services, first, then a wait group `group`. The constants
 * of its app say the rest:
 *
 *   services           how many there are, at most SERVICES_MAX
 *   backoff_first_ms   the first pause ...
 *   backoff_most_ms    ... and the longest
 *   restarts_most      how often in a row a service is started again
 *   healthy_ms         one that ran so long begins a new row
 *   main_service       the place of the service with which the machine ends, well if it finishes, badly if it is given
 *                      up; `services`: there is none */
#include "handles.h"
#include "user/rt/service.h"

#define SERVICES_MAX 32
#define NS_PER_MS UINT64_C(1000000)

_Static_assert(CONSTANT_SERVICES > 0 && CONSTANT_SERVICES <= SERVICES_MAX, "constant `services`");
_Static_assert(+HANDLE_GROUP == CONSTANT_SERVICES, "the process objects come first, then the wait group");

static struct watched {
    struct tern_timer pause; /* first: from the timer to this */
    uint64_t started_ns;
    uint64_t pause_ms;
    uint32_t restarts; /* in this row */
} watched[CONSTANT_SERVICES];

static void log_end(uint32_t handle, const struct exit_status *how)
{
    switch (how->kind) {
    case EXIT_CODE:
        tern_log("service %u has ended with code %d", handle, how->code);
        break;
    case EXIT_EXCEPTION:
        tern_log("service %u has ended by exception %u at %#lx, address %#lx", handle, how->exception, how->pc,
                 how->address);
        break;
    case EXIT_BAD_ORIGIN:
        tern_log("service %u has ended by a call of its own making at %#lx", handle, how->pc);
        break;
    default:
        tern_log("service %u was terminated", handle);
    }
}

static void start(struct tern_service *s, struct tern_timer *t)
{
    (void)s;
    struct watched *w = (struct watched *)t;
    struct result r = process_start((uint32_t)(w - watched));
    if (r.status != STATUS_OK)
        tern_panic("start of service %zu: %s", w - watched, tern_status_name(r.status));
    w->started_ns = clock_now();
}

static void finish(uint32_t handle)
{
    tern_log("service %u has finished", handle);
    if (handle == CONSTANT_MAIN_SERVICE)
        tern_success();
}

static void give_up(uint32_t handle)
{
    tern_log("service %u is given up after %u restarts", handle, watched[handle].restarts);
    if (handle == CONSTANT_MAIN_SERVICE)
        tern_failure(STATUS_ABORTED, "the main service is given up");
}

static void start_later(struct tern_service *s, uint32_t handle)
{
    struct watched *w = &watched[handle];
    bool in_a_row = clock_now() - w->started_ns < CONSTANT_HEALTHY_MS * NS_PER_MS;
    w->restarts = in_a_row ? w->restarts : 0;
    if (w->restarts == CONSTANT_RESTARTS_MOST) {
        give_up(handle);
        return;
    }
    w->pause_ms = w->restarts++ ? w->pause_ms * 2 : CONSTANT_BACKOFF_FIRST_MS;
    if (w->pause_ms > CONSTANT_BACKOFF_MOST_MS)
        w->pause_ms = CONSTANT_BACKOFF_MOST_MS;
    tern_log("service %u starts again in %lu ms, %u of %u", handle, w->pause_ms, w->restarts, CONSTANT_RESTARTS_MOST);
    tern_timer_set(s, &w->pause, clock_now() + w->pause_ms * NS_PER_MS);
}

static void hear_of_end(struct tern_service *s, const struct tern_member *m, uint32_t signals)
{
    (void)signals;
    struct exit_status how;
    struct result r = task_join(m->handle, &how, sizeof how);
    if (r.status != STATUS_OK)
        tern_panic("join of service %u: %s", m->handle, tern_status_name(r.status));
    log_end(m->handle, &how);
    if (how.kind == EXIT_CODE && how.code == 0)
        finish(m->handle);
    else
        start_later(s, m->handle);
}

int main(void)
{
    static struct tern_member members[CONSTANT_SERVICES];
    for (uint32_t i = 0; i < CONSTANT_SERVICES; i++) {
        members[i] = (struct tern_member){.handle = i, .on_signals = hear_of_end, .mask = SIGNAL_JOINABLE};
        watched[i].pause.on_time = start;
    }
    struct tern_service service = {.group = HANDLE_GROUP, .members = members, .count = CONSTANT_SERVICES};
    tern_panic("supervisor: %s", tern_status_name(tern_service_run(&service)));
}
