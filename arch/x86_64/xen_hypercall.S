/* SPDX-License-Identifier: MIT
 * Room for Xen's code, within the kernel's text: readable and executable, and never written by the kernel. It takes no
 * bytes of the ELF. Called on another hypervisor it would run into whatever a loader leaves there: zeros. */
    .section .hypercall, "ax", @nobits
    .balign 4096
    .globl xen_hypercall_page
xen_hypercall_page:
    .skip 4096
