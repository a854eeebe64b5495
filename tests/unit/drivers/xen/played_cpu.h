/* SPDX-License-Identifier: MIT
 * One CPU of a played domain, for tests of the event channels. */
#pragma once
#include "drivers/xen/abi.h"
#include "drivers/xen/cpu.h"
#include "drivers/xen/domain.h"

#include <arch/percpu.h>

struct percpu_head percpu_head;
static struct vcpu_info info;
static struct xen_domain domain = {.present = true};
static struct shared_info *shared; /* where the kernel wanted it */
static uint32_t next_port = 1;

struct vcpu_info *xen_vcpu_info(void)
{
    return &info;
}

uint32_t xen_vcpu_id(void)
{
    return 0;
}

const struct xen_domain *xen_domain_get(void)
{
    return &domain;
}
