/* SPDX-License-Identifier: MIT
 * Histograms of processes, as they are now: whoever records into one goes on meanwhile. */
#include "perf/hist.h"
#include "sys/abi/image.h"
#include "sys/histogram_object.h"
#include "sys/load.h"
#include "sys/module/module.h"

#define ROW_BYTES 560 /* two names of 31 bytes, each escaped at worst, and seven numbers */

static void write_histogram(struct json *j, const struct object *o)
{
    const struct histogram *h = ((const struct histogram_object *)o)->histogram;
    uint64_t least, most, count = hist_count(h), sum = h->sum;
    (void)hist_range(h, &least, &most);
    json_open(j, NULL, '{');
    json_text(j, "name", load_object_name(o));
    json_text(j, "process", o->process->name);
    json_number(j, "count", count);
    json_number(j, "min", least);
    json_number(j, "mean", count ? sum / count : 0);
    json_number(j, "p50", hist_value_at_percentile(h, 50, 100));
    json_number(j, "p99", hist_value_at_percentile(h, 99, 100));
    json_number(j, "max", most);
    json_number(j, "overflow", h->overflow);
    json_close(j, '}');
}

/* False if there was no room for one more. */
static bool write_process(struct router_message *m, struct json *j, const struct process *p)
{
    for (uint32_t i = 0; i < p->object_count; i++) {
        if (p->objects[i]->type != IMAGE_OBJECT_HISTOGRAM)
            continue;
        if (!module_has_room(m, ROW_BYTES))
            return false;
        write_histogram(j, p->objects[i]);
    }
    return true;
}

static enum status get_stats(struct router_message *m, struct json *j)
{
    uint32_t count;
    const struct process *processes = load_processes(&count);
    bool room = true;
    json_open(j, NULL, '{');
    json_open(j, "histograms", '[');
    for (uint32_t i = 0; room && i < count; i++)
        room = write_process(m, j, &processes[i]);
    json_close(j, ']');
    json_bool(j, "cut", !room);
    json_close(j, '}');
    return STATUS_OK;
}

const struct module_request perf_requests[] = {
    {"get_stats", "Each histogram: how many values, the least, the mean, percentiles, the largest.", get_stats}, {0}};
