/* SPDX-License-Identifier: MIT
 * A oneshot whose receiver looks all the time while another CPU sends, or goes without having sent. */
#include "ipc/oneshot.h"
#include "tests/guest/kernel/kernel_test.h"

ONESHOT_DEFINE(values, uint64_t)

enum { ROUNDS = 500 }; /* each a turn of both CPUs, which is long where they share a core */

static struct values shots[2];
static uint64_t turn; /* [a] how many rounds may begin */

static void send_or_go(void)
{
    for (uint64_t i = 1; i <= ROUNDS && partner_wait(&turn, i); i++) {
        struct values *o = &shots[i % 2];
        if (i % 5)
            (void)values_send(o, &i);
        else
            (void)oneshot_sender_drop(&o->oneshot);
    }
}

static const char *on_one_cpu(void)
{
    struct values *o = &shots[0];
    uint64_t value = 7;
    values_init(o);
    MUST(values_try_recv(o, &value) == STATUS_UNAVAILABLE && !oneshot_is_ready(&o->oneshot));
    MUST(values_send(o, &value) == STATUS_OK && oneshot_is_ready(&o->oneshot));
    MUST(values_send(o, &value) == STATUS_CANCELLED);
    value = 0;
    MUST(values_try_recv(o, &value) == STATUS_OK && value == 7);
    MUST(values_try_recv(o, &value) == STATUS_CANCELLED && !oneshot_is_ready(&o->oneshot));
    values_init(o);
    MUST(!oneshot_receiver_drop(&o->oneshot) && values_send(o, &value) == STATUS_CANCELLED);
    return NULL;
}

const char *test_oneshot(void)
{
    const char *broken = on_one_cpu();
    if (broken || cpus() == 1)
        return broken;
    store_release(&turn, 0);
    MUST(partner_begin(1, send_or_go) == STATUS_OK);
    for (uint64_t i = 1, value = 0; i <= ROUNDS; i++) {
        struct values *o = &shots[i % 2];
        enum status s;
        values_init(o);
        store_release(&turn, i); /* pairs: partner */
        while ((s = values_try_recv(o, &value)) == STATUS_UNAVAILABLE)
            ;
        MUST(s == (i % 5 ? STATUS_OK : STATUS_CANCELLED) && (!(i % 5) || value == i));
    }
    MUST(partner_end(1) == STATUS_OK);
    return NULL;
}
