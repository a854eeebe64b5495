/* SPDX-License-Identifier: MIT
 * x86's memory for a model: a store waits in its CPU's buffer, first in first out, until the buffer gives it to the
 * memory, at any moment; a load sees the CPU's own waiting stores; a fence, or a locked instruction, waits until the
 * buffer is empty. Before inclusion: CPUS, LOCATIONS, DEPTH. A location holds 0 to 7, and has at most one store waiting
 * on each CPU. */
byte memory[LOCATIONS];
chan buffer[CPUS] = [DEPTH] of { byte };

#define store(cpu, location, value) buffer[cpu]!((location) * 8 + value)
#define fence(cpu) empty(buffer[cpu])
/* Of a word that is 0 or 1. */
#define is_set(cpu, location)                                                                                          \
    (buffer[cpu]??[eval((location) * 8 + 1)] || (memory[location] && !buffer[cpu]??[eval((location) * 8)]))

proctype drain_buffer(byte cpu)
{
    byte entry;
end:
    do
    :: atomic { buffer[cpu]?entry -> memory[entry / 8] = entry % 8; entry = 0 }
    od
}

inline start_buffers()
{
    byte each = 0;
    do
    :: each < CPUS -> run drain_buffer(each); each++
    :: else -> break
    od
}
