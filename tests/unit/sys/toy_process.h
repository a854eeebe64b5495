/* SPDX-License-Identifier: MIT
 * A process on the host, as sys/load.c makes them, for tests of what the kernel does with its arguments. Text,
 * constants and data lie side by side, which is how the linker puts them; the stack is far away. Each region's memory
 * is an array of its own, so a byte read past its end is seen by ASan. Tests that change the memory are processes of
 * their own, so nothing is put back. */
#pragma once
#include "ipc/object.h"
#include "sys/user_buffer.h"

enum { TOY_TEXT, TOY_CONSTANTS, TOY_DATA, TOY_STACK, TOY_REGIONS };
#define TOY_PAGE 4096u
#define TOY_BASE UINT64_C(0x01000000)
#define TOY_TEXT_AT TOY_BASE
#define TOY_CONSTANTS_AT (TOY_BASE + TOY_PAGE)
#define TOY_DATA_AT (TOY_BASE + 2 * TOY_PAGE)
#define TOY_DATA_END (TOY_DATA_AT + 2 * TOY_PAGE)
#define TOY_STACK_AT (TOY_BASE + 0x00c00000)
#define TOY_STACK_END (TOY_STACK_AT + TOY_PAGE)

enum { TOY_HANDLER, TOY_INITIATOR, TOY_HISTOGRAM, TOY_HANDLER_2, TOY_INITIATOR_2, TOY_OBJECTS, TOY_TABLE = 8 };

static char toy_text[TOY_PAGE], toy_constants[TOY_PAGE], toy_data[2 * TOY_PAGE], toy_stack[TOY_PAGE];
static struct object toy_object[TOY_OBJECTS] = {
    [TOY_HANDLER] = {.type = IMAGE_OBJECT_CHANNEL_HANDLER},
    [TOY_INITIATOR] = {.type = IMAGE_OBJECT_CHANNEL_INITIATOR},
    [TOY_HISTOGRAM] = {.type = IMAGE_OBJECT_HISTOGRAM},
    [TOY_HANDLER_2] = {.type = IMAGE_OBJECT_CHANNEL_HANDLER},
    [TOY_INITIATOR_2] = {.type = IMAGE_OBJECT_CHANNEL_INITIATOR},
};
static struct object toy_nothing; /* what pads the table of handles */
static struct object *toy_table[TOY_TABLE];
static struct region toy_regions[TOY_REGIONS];
static struct thread toy_thread;
static struct process toy = {.objects = toy_table, .regions = toy_regions, .threads = &toy_thread, .name = "toy"};

static inline struct region toy_region(uint64_t address, char *memory, uint64_t bytes, uint32_t flags)
{
    return (struct region){.end = address + bytes,
                           .bytes = bytes,
                           .to_kernel = (uint64_t)memory - address,
                           .flags = IMAGE_REGION_READ | flags};
}

/* As after loading: the last writable region is where buffers are looked for first. `objects` of toy_object. */
static inline void toy_create_with(uint32_t objects)
{
    toy_regions[TOY_TEXT] = toy_region(TOY_TEXT_AT, toy_text, sizeof(toy_text), IMAGE_REGION_EXECUTE);
    toy_regions[TOY_CONSTANTS] = toy_region(TOY_CONSTANTS_AT, toy_constants, sizeof(toy_constants), 0);
    toy_regions[TOY_DATA] = toy_region(TOY_DATA_AT, toy_data, sizeof(toy_data), IMAGE_REGION_WRITE);
    toy_regions[TOY_STACK] = toy_region(TOY_STACK_AT, toy_stack, sizeof(toy_stack), IMAGE_REGION_WRITE);
    toy.region_count = TOY_REGIONS;
    toy.hot[USER_IN] = toy.hot[USER_OUT] = toy_regions[TOY_STACK];
    toy.object_count = objects;
    for (toy.object_mask = 0; toy.object_mask + 1 < objects;)
        toy.object_mask = toy.object_mask * 2 + 1;
    for (uint32_t i = 0; i <= toy.object_mask; i++)
        toy_table[i] = i < objects ? &toy_object[i] : &toy_nothing;
    toy_thread.process = &toy;
}

static inline void toy_create(void)
{
    toy_create_with(TOY_OBJECTS);
}
