/* SPDX-License-Identifier: MIT
 * Signals of kernel objects: level-type bits, 32 of them. Bits 4..14 and 31 are invalid in a mask. */
#ifndef TERN_ABI_SIGNALS_H
#define TERN_ABI_SIGNALS_H

#define SIGNAL_READABLE (1u << 0)
#define SIGNAL_WRITEABLE (1u << 1)
#define SIGNAL_ERROR (1u << 2)
#define SIGNAL_JOINABLE (1u << 3)
#define SIGNAL_USER (1u << 15)
#define SIGNAL_INTERRUPT_A (1u << 16) /* .. SIGNAL_INTERRUPT_O, bit 30 */
#define SIGNAL_VALID 0x7fff800fu

#endif
