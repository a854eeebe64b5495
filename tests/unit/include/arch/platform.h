/* SPDX-License-Identifier: MIT
 * Host stand-in: the test plays the one-shot timer, wake-ups and the hypervisor's end. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct platform {
    void (*timer_arm)(uint64_t ns);
    void (*wake)(uint32_t cpu);
    bool (*activate)(uint32_t cpu);
    bool (*eoi)(void);
    bool (*send_others)(uint8_t vector);
    void (*off)(uint32_t value);
    const char *timer_name, *wake_name;
};

extern struct platform platform;
