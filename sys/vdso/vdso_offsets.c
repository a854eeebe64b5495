/* SPDX-License-Identifier: MIT
 * Proves the offsets that vdso.S uses. Linked into the vDSO, to which it adds nothing, so that no build goes without
 * it. */
#include "sys/abi/vvar.h"

#include <stddef.h>

_Static_assert(offsetof(struct vvar, tsc_base) == VVAR_TSC_BASE, "vvar ABI");
_Static_assert(offsetof(struct vvar, ns_mult) == VVAR_NS_MULT, "vvar ABI");
_Static_assert(offsetof(struct vvar, features) == VVAR_FEATURES, "vvar ABI");
_Static_assert(offsetof(struct vvar, cpu) == VVAR_CPU, "vvar ABI");
