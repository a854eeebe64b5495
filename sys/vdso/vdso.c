/* SPDX-License-Identifier: MIT
 * Filling in and mapping the vDSO's pages. */
#include "sys/vdso/vdso.h"

#include "arch/x86_64/asm.h"
#include "arch/x86_64/paging.h"
#include "mm/page.h"
#include "sys/abi/layout.h"
#include "sys/lib/panic.h"
#include "sys/lib/string.h"
#include "sys/syscall/table.h"

#include <arch/entry.h>

#define CALLS_BYTES (SYSCALL_MAX * USER_CALL_BYTES)
#define BREAKPOINT 0xcc

#define VDSO_BYTES (USER_CALLS_BASE - USER_VDSO_BASE)

_Static_assert(VDSO_BYTES % PAGE_SIZE == 0, "one range");
_Static_assert(USER_CALLS == SYSCALL_MAX && 1 << USER_CALL_SHIFT == USER_CALL_BYTES, "entry.S");

extern const char vdso_page[], vdso_page_end[];
extern const char *const syscall_sites[SYSCALL_TABLE];

static paddr_t pages; /* [I] the vDSO and, behind it, the slots */

/* The end of a stub: into the kernel, and back to its caller. */
static const char by_syscall[] = {0x0f, 0x05, (char)0xc3};
static const char by_sysenter[] = {0x49, (char)0x89, (char)0xe3, 0x0f, 0x34, (char)0xc3}; /* MOV RSP, R11 first */

/* Named stubs are assembled with SYSCALL and have room for the longer form. */
static void use_sysenter(char *vdso)
{
    for (uint32_t i = 0; i < SYSCALL_BUILT_IN; i++) {
        char *at = vdso + (syscall_sites[i] - (const char *)USER_VDSO_BASE) - 2;
        panic_if(memcmp(at, by_syscall, sizeof(by_syscall)) != 0);
        memcpy(at, by_sysenter, sizeof(by_sysenter));
    }
}

static void fill_slots(char *slots)
{
    bool sysenter = entry_is_sysenter();
    for (uint32_t i = SYSCALL_BUILT_IN; i < SYSCALL_MAX; i++) {
        char *slot = slots + i * USER_CALL_BYTES;
        slot[0] = (char)0xb8; /* MOV number, EAX */
        memcpy(slot + 1, &i, sizeof(i));
        memcpy(slot + 5, sysenter ? by_sysenter : by_syscall, sysenter ? sizeof(by_sysenter) : sizeof(by_syscall));
    }
}

enum status vdso_create(void)
{
    enum status s = page_alloc_raw((VDSO_BYTES + CALLS_BYTES) / PAGE_SIZE, PAGE_SIZE, &pages);
    if (s != STATUS_OK)
        return s;
    char *vdso = phys_to_virt(pages);
    memset(vdso, BREAKPOINT, VDSO_BYTES + CALLS_BYTES);
    memcpy(vdso, vdso_page, (size_t)(vdso_page_end - vdso_page));
    fill_slots(vdso + VDSO_BYTES);
    if (entry_is_sysenter())
        use_sysenter(vdso);
    return STATUS_OK;
}

enum status vdso_map(paddr_t root)
{
    return paging_map(root, USER_VDSO_BASE, pages, VDSO_BYTES + CALLS_BYTES, PAGE_USER | PAGE_EXECUTE);
}
