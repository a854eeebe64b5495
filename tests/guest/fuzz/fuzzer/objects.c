/* SPDX-License-Identifier: MIT
 * The objects of a fuzzing process. It knows them by asking, so that descriptions may give it any. */
#include "handles.h"
#include "tests/guest/fuzz/fuzzer/fuzzer.h"

#define HANDLES_MAX 32

static uint8_t types[HANDLES_MAX]; /* by handle */
static uint64_t last_handle;       /* drawn */

_Static_assert(HANDLE_JUDGE == 0 && HANDLE_PROCESS < HANDLES_MAX, "the others lie between");

static bool has(struct result r)
{
    return r.status != STATUS_UNIMPLEMENTED;
}

/* Asks each kind of object for something that it has, but cannot do now. */
static uint32_t type_of(uint64_t handle)
{
    if (has(COUNTED(channel_transact)(handle, NULL, 0, NULL, 0, 0)))
        return IMAGE_OBJECT_CHANNEL_INITIATOR;
    if (has(COUNTED(channel_read)(handle, 0, NULL, 0)))
        return IMAGE_OBJECT_CHANNEL_HANDLER;
    if (has(COUNTED(histogram_export)(handle, NULL, 0)))
        return IMAGE_OBJECT_HISTOGRAM;
    if (has(COUNTED(wait_group_remove)(handle, handle)))
        return IMAGE_OBJECT_WAIT_GROUP;
    if (has(COUNTED(interrupt_ack)(handle, 0)))
        return IMAGE_OBJECT_INTERRUPT;
    if (has(COUNTED(event_read)(handle, NULL, 0)))
        return IMAGE_OBJECT_EVENT_SUBSCRIPTION;
    if (has(COUNTED(router_request)(handle, "", 0, NULL, 0, 0)))
        return IMAGE_OBJECT_ROUTER;
    return has(COUNTED(process_start)(handle)) ? IMAGE_OBJECT_PROCESS : IMAGE_OBJECT_THREAD;
}

void objects_begin(void)
{
    for (uint64_t handle = 1; handle < HANDLE_PROCESS; handle++)
        types[handle] = (uint8_t)type_of(handle);
}

uint32_t object_type(uint64_t handle)
{
    return handle < HANDLE_PROCESS ? types[handle] : 0;
}

/* The next handle of this type, itself if there is none. */
static uint64_t of_type(uint64_t handle, uint32_t type)
{
    for (uint64_t i = 1; i < HANDLE_PROCESS && types[handle] != type; i++)
        handle = handle + 1 < HANDLE_PROCESS ? handle + 1 : 1;
    return handle;
}

/* Anything, the first that is none, one with more bits than a handle has. */
static uint64_t no_handle(uint64_t handle)
{
    uint64_t wild = one_in(3) ? fuzz_wild() : one_in(2) ? HANDLE_PROCESS + 1 : handle + (UINT64_C(1) << 32);
    return wild <= HANDLE_PROCESS ? HANDLE_PROCESS + 1 + wild : wild;
}

uint64_t draw_handle(struct random_call *c, uint32_t type, uint32_t other)
{
    uint64_t handle = c->answers ? last_handle : 1 + fuzz_below(HANDLE_PROCESS - 1);
    switch (fuzz_below(16)) {
    case 0:
        refuse(c, STATUS_OUT_OF_RANGE);
        return no_handle(handle);
    case 1: /* whatever it is */
        break;
    default:
        if (type && (types[handle] != other || one_in(2)))
            handle = of_type(handle, type);
    }
    if (type && types[handle] != type && types[handle] != other)
        refuse(c, STATUS_UNIMPLEMENTED);
    last_handle = handle;
    return handle;
}

/* Over and joined. */
static void end_task(uint64_t handle)
{
    struct exit_status status;
    if (COUNTED(task_terminate)(handle).status == STATUS_OK)
        check_status("end of a task", COUNTED(object_wait)(handle, SIGNAL_JOINABLE, TIME_MAX).status, STATUS_OK);
    (void)COUNTED(task_join)(handle, &status, sizeof status);
}

void objects_settle(void)
{
    for (uint64_t handle = 1; handle < HANDLE_PROCESS; handle++) {
        if (types[handle] == IMAGE_OBJECT_CHANNEL_INITIATOR)
            (void)COUNTED(channel_async_cancel)(handle);
        if (types[handle] == IMAGE_OBJECT_PROCESS || types[handle] == IMAGE_OBJECT_THREAD)
            end_task(handle);
    }
}
