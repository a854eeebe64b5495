/* SPDX-License-Identifier: MIT
 * Whether this is a Xen guest (PVH or HVM), and which one. Everything else of this folder is for Xen guests only. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct xen_domain {
    bool present;
    bool initial;          /* dom0: no console ring and no store until somebody serves them */
    uint32_t base;         /* of Xen's CPUID leaves */
    uint32_t version;      /* major << 16 | minor */
    uint32_t hvm_features; /* XEN_HVM_CPUID_* */
    uint32_t id;           /* domid; DOMID_SELF if Xen does not tell */
};

/* Looks for Xen and has it write the hypercall page. Boot CPU, after features_init, while text can still be written. */
void xen_detect(void);

/* Filled by xen_detect, `initial` by xen_set_initial, [I] afterwards. */
const struct xen_domain *xen_domain_get(void);

/* Whether the boot loader says that this is the initial domain (start_info's flags). Boot CPU. */
void xen_set_initial(bool initial);

/* This CPU's number in Xen's hypercalls. */
uint32_t xen_vcpu_id(void);

/* The value of a parameter HVM_PARAM_*; false if Xen refuses it. */
bool xen_param_get(uint32_t index, uint64_t *value);
