/* SPDX-License-Identifier: MIT
 * A system image: what user/images/mkimage.py writes and the kernel loads, from inside its own ELF or from a boot
 * module. One file: struct image_header, then the tables it points to, then the bytes of the regions. Little-endian,
 * every offset from the start of the file, every table 8-aligned. The kernel trusts nothing in it (sys/image.c checks
 * all). A handle is an object's index within its process: object = process.first_object + handle. Each table is cut
 * into one run per process (interrupts: per object), in their order and without gaps; that of subscriptions has one
 * entry for each of their objects, in the objects' order. */
#ifndef TERN_ABI_IMAGE_H
#define TERN_ABI_IMAGE_H
#include <stdint.h>

#define IMAGE_MAGIC 0x474d4954u /* "TIMG" */
#define IMAGE_VERSION 3
#define IMAGE_NAME_BYTES 32 /* NUL padded, always NUL terminated */
#define IMAGE_NONE 0xffffffffu
#define IMAGE_PRIORITIES 32
#define IMAGE_PRIORITY_DEFAULT 15
#define IMAGE_CPUS_MAX 64
#define IMAGE_THREADS_MAX 1024 /* in the whole image, like those below */
#define IMAGE_OBJECTS_MAX 4096
#define IMAGE_REGIONS_MAX 4096
#define IMAGE_DEVICES_MAX 1024
#define IMAGE_INTERRUPT_MAX 256        /* interrupts are numbered below; each has at most one place in an image */
#define IMAGE_INTERRUPT_MESSAGE 240    /* from here on they have no line but a message: interrupt_message */
#define IMAGE_INTERRUPTS_PER_OBJECT 15 /* as many as there are signals, A to O */
#define IMAGE_MODULES_MAX 32           /* in the whole image */
#define IMAGE_SUBSCRIPTION_NAMES 8
#define IMAGE_SUBSCRIPTION_DEPTH_MAX 4096
#define IMAGE_SUBSCRIPTION_PRIORITY_MAX 255

struct image_header {
    uint32_t magic;
    uint32_t version;
    uint64_t bytes;    /* of the whole file */
    uint32_t checksum; /* CRC-32 (IEEE, zlib) of the file with this field as zero */
    uint32_t processes, threads, objects, regions, interrupts, devices, subscriptions;
    uint32_t processes_offset, threads_offset, objects_offset, regions_offset, interrupts_offset, devices_offset,
        subscriptions_offset;
    uint32_t reserved; /* 0 */
    char name[IMAGE_NAME_BYTES];
};

/* The first thread of its run is the main thread, the only one that starts at boot, at `entry`. The last object of its
 * run is its own IMAGE_OBJECT_PROCESS, named IMAGE_OWN_PROCESS. */
struct image_process {
    char name[IMAGE_NAME_BYTES];
    uint64_t entry; /* user address of the first instruction */
    uint32_t cpu;   /* home CPU */
    uint32_t flags; /* 0 */
    uint32_t first_region, regions;
    uint32_t first_object, objects;
    uint32_t first_thread, threads; /* at least 1 */
    uint32_t first_device, devices;
};
#define IMAGE_OWN_PROCESS "process"

/* One contiguous range of user memory. Sizes and addresses are multiples of a page; bytes past `file_bytes` are zero.
 * The regions of a process ascend by address. */
struct image_region {
    uint64_t address;
    uint64_t bytes;
    uint64_t file_offset;
    uint64_t file_bytes;
    uint32_t flags; /* IMAGE_REGION_*; write and execute never together */
    uint32_t process;
};
#define IMAGE_REGION_READ 1u
#define IMAGE_REGION_WRITE 2u
#define IMAGE_REGION_EXECUTE 4u

struct image_thread {
    char name[IMAGE_NAME_BYTES];
    uint32_t process;
    uint32_t priority;  /* 0 .. 31, 31 is the most urgent */
    uint64_t stack_top; /* 16-aligned user address just above the stack; the stack lies in a writable region */
};

enum image_object_type {
    IMAGE_OBJECT_CHANNEL_HANDLER = 1,   /* without a peer it is a module of the router: its name is unique as such */
    IMAGE_OBJECT_CHANNEL_INITIATOR = 2, /* peer: index of the handler object in the whole image */
    IMAGE_OBJECT_HISTOGRAM = 3,         /* region: index of the region that holds its struct histogram */
    IMAGE_OBJECT_WAIT_GROUP = 4,
    IMAGE_OBJECT_INTERRUPT = 5, /* interrupts: its lines */
    IMAGE_OBJECT_PROCESS = 6,   /* peer: index of the process; but for a process's own, at most one object names it */
    IMAGE_OBJECT_THREAD = 7,    /* peer: index of a thread of the same process, named by this object only */
    IMAGE_OBJECT_EVENT_SUBSCRIPTION = 8, /* peer: index of its entry in the table of subscriptions */
    IMAGE_OBJECT_ROUTER = 9,
};

struct image_object {
    char name[IMAGE_NAME_BYTES];
    uint32_t type; /* enum image_object_type */
    uint32_t process;
    uint32_t peer;   /* both ends of a channel name each other; others as above; otherwise IMAGE_NONE */
    uint32_t region; /* histogram only; otherwise IMAGE_NONE */
    uint32_t first_interrupt, interrupts; /* interrupt only, 1 to IMAGE_INTERRUPTS_PER_OBJECT of them; otherwise 0, 0 */
};

/* Entry i of an object's run raises the object's signal SIGNAL_INTERRUPT_A << i. */
struct image_interrupt {
    uint32_t object;
    uint32_t number; /* global system interrupt: an input of the IO-APICs, which the machine must have */
};

/* What an event subscription wants (sys/abi/event.h). A module's name and each of `names` is printable without blanks.
 */
struct image_subscription {
    uint32_t object;
    uint32_t topics;   /* TOPIC_*, one or more */
    uint32_t depth;    /* events that are kept, 1 to IMAGE_SUBSCRIPTION_DEPTH_MAX */
    uint32_t priority; /* 0 to IMAGE_SUBSCRIPTION_PRIORITY_MAX, 0 is the most urgent */
    uint32_t names; /* which custom events: 1 or more if TOPIC_CUSTOM is among the topics; 0 without it or with all */
    uint32_t reserved;                                     /* 0 */
    char name[IMAGE_SUBSCRIPTION_NAMES][IMAGE_NAME_BYTES]; /* all different; those above `names` are zero */
};

/* What a process may touch of the machine. Memory is mapped uncached, for reading and writing, never for execution.
 * Whether there is RAM at `physical` is not known here: the loader looks. */
struct image_device {
    uint64_t address;  /* memory: of a page in the process's slot, apart from its regions, ascending; ports: 0 */
    uint64_t physical; /* memory: of a page; ports: the first port */
    uint64_t bytes;    /* memory: whole pages; ports: how many */
    uint32_t process;
    uint32_t kind; /* IMAGE_DEVICE_* */
};
#define IMAGE_DEVICE_MEMORY 1
#define IMAGE_DEVICE_PORTS 2
#define IMAGE_PORTS_END 0x10000
#define IMAGE_PHYSICAL_END 0x10000000000000 /* no address of a CPU has more than 52 bits */

_Static_assert(sizeof(struct image_header) == 112, "image ABI");
_Static_assert(sizeof(struct image_process) == 80, "image ABI");
_Static_assert(sizeof(struct image_region) == 40, "image ABI");
_Static_assert(sizeof(struct image_thread) == 48, "image ABI");
_Static_assert(sizeof(struct image_object) == 56, "image ABI");
_Static_assert(sizeof(struct image_interrupt) == 8, "image ABI");
_Static_assert(sizeof(struct image_device) == 32, "image ABI");
_Static_assert(sizeof(struct image_subscription) == 280, "image ABI");

#endif
