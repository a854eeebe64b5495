/* SPDX-License-Identifier: MIT
 * Signals of kernel objects: level-type bits, 32 of them; waiting clears none. Bits 4..14 are invalid in a mask, and so is
 * bit 31.
 *
 *   object     signal        raised                                             lowered
 *   initiator  WRITEABLE     at creation; when a transaction ends in any way;   when a transaction starts; when the
 *                            when the handler's process starts again            handler's process dies
 *   initiator  READABLE      an asynchronous transaction is over: answered,     channel_async_complete, _cancel
 *                            or the handler's process died
 *   handler    READABLE      a request arrived                                  answer; deadline, cancellation, death of
 *                                                                               the initiator
 *   both       ERROR         the peer's process died                            when channel_respond_and_wait has told it;
 *                                                                               when the peer's process starts again
 *   both       USER          the peer set it, or notified with bits             the peer lowered it and no bits are left;
 *                                                                               the peer's process died
 *   interrupt  INTERRUPT_A.. it fired; what comes before the acknowledgement    interrupt_ack with this bit
 *                            raises it once more after that
 *   router     WRITEABLE     at creation; when a request is over                when a request starts
 *   subscr.    READABLE      the event bus delivered an event                   event_read of the last one; its process
 *                                                                               ends
 *   process    JOINABLE      the process is gone, and nothing of it moves       task_join
 *   thread     JOINABLE      the thread has ended                               task_join
 *
 * A wait group has none of its own: it is waited for with READABLE and gives its members' signals. The process object of
 * the calling process itself, and histograms, have none that are ever raised. */
#ifndef TERN_ABI_SIGNALS_H
#define TERN_ABI_SIGNALS_H

#define SIGNAL_READABLE (1u << 0)
#define SIGNAL_WRITEABLE (1u << 1)
#define SIGNAL_ERROR (1u << 2)
#define SIGNAL_JOINABLE (1u << 3)
#define SIGNAL_USER (1u << 15)
#define SIGNAL_INTERRUPT_A (1u << 16) /* .. SIGNAL_INTERRUPT_O, bit 30 */
#define SIGNAL_VALID 0x7fff800fu

/* What channel_respond_and_wait on a wait group gives beside the status is the length of a request, with this bit, or,
 * without it, the signals of a member that has no request. */
#define RESULT_REQUEST (1u << 31)

#endif
