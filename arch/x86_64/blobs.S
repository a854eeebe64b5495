/* SPDX-License-Identifier: MIT
 * Files inside the kernel's ELF: the vDSO and the default system image. */
    .section .rodata
    .balign 8
    .globl vdso_page, vdso_page_end
vdso_page:
    .incbin VDSO_BIN
vdso_page_end:

    .section .image, "a"
    .balign 4096
    .globl image_default, image_default_end
image_default:
    .incbin IMAGE_DEFAULT
image_default_end:
