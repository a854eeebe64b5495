/* SPDX-License-Identifier: MIT
 * Page frames; and a way to play pressure. */
#include "mm/page.h"
#include "sys/module/module.h"

static const char *const level_names[] = {
    [PAGE_PLENTY] = "normal", [PAGE_LOW] = "low", [PAGE_CRITICAL] = "critical", [PAGE_NONE] = "oom"};

static enum status get_stats(struct router_message *m, struct json *j)
{
    (void)m;
    json_open(j, NULL, '{');
    json_number(j, "total_bytes", page_total_bytes());
    json_number(j, "free_bytes", page_free_bytes());
    json_number(j, "held_bytes", page_held_bytes());
    json_number(j, "lost_bytes", page_lost_bytes());
    json_text(j, "level", level_names[page_level()]);
    json_close(j, '}');
    return STATUS_OK;
}

static enum status reserve(struct router_message *m, struct json *j)
{
    const char *text = m->payload;
    size_t n = m->payload_bytes;
    uint64_t bytes;
    if (!module_number(module_word(&text, &n), &bytes))
        return module_refuse(m, STATUS_INVALID_ARGUMENT, "reserve BYTES");
    enum status s = page_hold(bytes);
    return s == STATUS_OK ? get_stats(m, j) : module_refuse(m, s, "there is not as much free");
}

static enum status release(struct router_message *m, struct json *j)
{
    enum status s = page_hold(0);
    return s == STATUS_OK ? get_stats(m, j) : s;
}

const struct module_request memory_requests[] = {
    {"get_stats", "Bytes in all, free, held back, and the level of pressure.", get_stats},
    {"reserve", "BYTES: holds so many of the free ones back, instead of those held before.", reserve},
    {"release", "Holds none back.", release},
    {0}};
