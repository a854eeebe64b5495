/* SPDX-License-Identifier: MIT
 * Tells the stories of stories.def, one after the other; each leaves the puppets as it found them: idle, with no signal
 * on any channel. */
#include "conductor.h"

const struct puppet caller = {HANDLE_CALLER_CONTROL, HANDLE_CALLER, true};
const struct puppet server_1 = {HANDLE_SERVER_1_CONTROL, HANDLE_SERVER_1, false};
const struct puppet server_2 = {HANDLE_SERVER_2_CONTROL, HANDLE_SERVER_2, false};
const struct puppet server_3 = {HANDLE_SERVER_3_CONTROL, HANDLE_SERVER_3, false};

static struct result result_of(struct report report)
{
    return (struct result){report.status, report.signals, report.value};
}

static struct result exchange(const struct puppet *p, const struct order *order)
{
    struct report report;
    check_status("order", tern_call(p->control, order, &report, TIME_MAX), STATUS_OK);
    return result_of(report);
}

void puppet_begin(const struct puppet *p, const struct order *order)
{
    struct order begin = *order;
    begin.begin = 1;
    if (p->calls)
        check_status("order", channel_respond(p->control, order, sizeof *order).status, STATUS_OK);
    else
        (void)exchange(p, &begin);
}

struct result puppet_end(const struct puppet *p)
{
    struct report report;
    if (!p->calls)
        return exchange(p, DO(COLLECT));
    check_signals("report", object_wait(p->control, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_ok("report", tern_read_exact(p->control, 0, &report, sizeof report), sizeof report);
    return result_of(report);
}

struct result puppet_do(const struct puppet *p, const struct order *order)
{
    if (!p->calls)
        return exchange(p, order);
    puppet_begin(p, order);
    return puppet_end(p);
}

struct exit_status puppet_join(const struct puppet *p)
{
    struct exit_status status;
    check_signals("end of a puppet", object_wait(p->process, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok("join", task_join(p->process, &status, sizeof status), sizeof status);
    if (p->calls) /* its report was read, and will never be answered: that is told once */
        check_refused("order to the dead", channel_respond(p->control, NULL, 0), STATUS_UNAVAILABLE);
    return status;
}

void puppet_start(const struct puppet *p)
{
    check_ok("start", process_start(p->process), 0);
    if (p->calls)
        check_ok("start", puppet_end(p), 0);
    else
        check_signals("start", object_wait(p->control, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
    (void)puppet_do(p, DO(READY)); /* its answer comes behind the news of its start, on all channels */
}

void puppet_terminate(const struct puppet *p)
{
    check_ok("terminate", task_terminate(p->process), 0);
    struct exit_status status = puppet_join(p);
    check_u64("how it was terminated", status.kind, EXIT_TERMINATED);
}

void puppet_restart(const struct puppet *p)
{
    puppet_terminate(p);
    puppet_start(p);
}

void helper_start(uint32_t helper, int (*body)(uint64_t argument), uint64_t argument)
{
    check_ok("helper", tern_thread_start(helper, body, argument), 0);
}

int helper_join(uint32_t helper)
{
    struct exit_status status;
    check_signals("end of a helper", object_wait(helper, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
    check_ok("join of a helper", task_join(helper, &status, sizeof status), sizeof status);
    check_u64("how a helper ended", status.kind, EXIT_CODE);
    return status.code;
}

void helper_let_block(void)
{
    for (int i = 0; i < 20; i++)
        thread_yield();
}

static int run_errand(uint64_t argument)
{
    struct errand *e = (struct errand *)argument;
    e->result = channel_transact(e->handle, e->send, e->n, e->receive, e->m, e->deadline_ns);
    return 0;
}

void errand_start(uint32_t helper, struct errand *e)
{
    helper_start(helper, run_errand, (uint64_t)e);
}

struct result errand_end(uint32_t helper, struct errand *e)
{
    check_u64("errand", (uint64_t)helper_join(helper), 0);
    return e->result;
}

void fill(void *to, size_t n, uint64_t seed)
{
    unsigned char *byte = to;
    for (size_t i = 0; i < n; i++)
        byte[i] = fill_byte(i, seed);
}

void check_filled(const char *what, const void *with, size_t n, uint64_t seed)
{
    const unsigned char *byte = with;
    for (size_t i = 0; i < n; i++)
        check_u64(what, byte[i], fill_byte(i, seed));
}

void check_quiet(const char *what, uint32_t handle, uint32_t mask)
{
    check_refused(what, object_wait(handle, mask, 0), STATUS_DEADLINE_EXCEEDED);
}

void check_caller_works(uint32_t handle, uint32_t remote)
{
    uint64_t word = 0;
    (void)puppet_do(&caller, DO(POKE, MEMORY(0), 4711));
    puppet_begin(&caller, CALL(channel_transact, remote, MEMORY(0), 8, MEMORY(8), 8, TIME_MAX));
    check_ok("request", channel_respond_and_wait(handle, NULL, 0, &word, sizeof word, TIME_MAX), sizeof word);
    check_u64("request", word, 4711);
    word++;
    check_ok("answer", channel_respond(handle, &word, sizeof word), 0);
    check_ok("answer", puppet_end(&caller), sizeof word);
    check_ok("answer", puppet_do(&caller, DO(PEEK, MEMORY(8))), 4712);
}

void check_server_works(const struct puppet *p, uint32_t handle)
{
    uint64_t request = 99, response = 0;
    puppet_begin(p, DO(ECHO, 1, SERVER_IPC, 1));
    check_ok("echo", channel_transact(handle, &request, sizeof request, &response, sizeof response, TIME_MAX),
             sizeof response);
    check_u64("echo", response, 100);
    check_ok("echo", puppet_end(p), 0);
}

static const struct story {
    const char *name;
    void (*tell)(void);
    bool alone;
} stories[] = {
#define STORY(name) {#name, story_##name, false},
#define ALONE(name) {#name, story_##name, true},
#include "tests/guest/objects/conductor/stories.def"
#undef STORY
#undef ALONE
};

/* `name` is one of the words between commas. */
static bool names(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (;;) {
        if (strncmp(list, name, n) == 0 && (list[n] == ',' || list[n] == '\0'))
            return true;
        while (*list != ',' && *list != '\0')
            list++;
        if (*list++ == '\0')
            return false;
    }
}

int main(void)
{
    char chosen[128];
    bool all = !tern_argument("test", chosen, sizeof chosen), told = false;
    check_ok("first report", puppet_end(&caller), 0);
    for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++) {
        const struct story *s = &stories[i];
        if (all ? s->alone : !names(chosen, s->name))
            continue;
        tern_log("story %s", s->name);
        s->tell();
        told = true;
    }
    if (!told)
        tern_failure(STATUS_NOT_FOUND, "there is no story '%s'", chosen);
    tern_success();
}
