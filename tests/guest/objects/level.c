/* SPDX-License-Identifier: MIT
 * Level-triggered lines, one with its process on the boot CPU, which has the IO-APIC, and one on another CPU: both at
 * the same time, over and over, without a lost or an idle interrupt. A process dies while its line is up; that costs
 * its CPU nothing, and the process that starts again finds the interrupt there. */
#include "handles.h"
#include "tests/guest/objects/level.h"

#define ROUNDS 300
#define PCI_ADDRESS 0xcf8
#define PCI_DATA 0xcfc
#define PCI_ENABLE 0x80000000u
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 2
#define PCI_BAR 0x10
#define EDU_ID 0x11e81234

static void pci_write(uint32_t device, uint32_t offset, uint32_t value)
{
    port_out32(PCI_ADDRESS, PCI_ENABLE | device << 11 | offset);
    port_out32(PCI_DATA, value);
}

/* The image says where the devices are, so that is where they are put. */
static void place(uint32_t device, uint32_t physical)
{
    port_out32(PCI_ADDRESS, PCI_ENABLE | device << 11);
    check_u64("device", port_in32(PCI_DATA), EDU_ID);
    pci_write(device, PCI_COMMAND, 0);
    pci_write(device, PCI_BAR, physical);
    pci_write(device, PCI_COMMAND, PCI_COMMAND_MEMORY);
}

static void ask_far(uint32_t verb, enum status expected)
{
    check_refused("ask the other CPU", channel_transact(HANDLE_FAR, &verb, sizeof verb, NULL, 0, TIME_MAX), expected);
}

int main(void)
{
    uint32_t verb = LEVEL_ROUNDS;
    struct exit_status status;
    place(4, 0xe0000000);
    place(5, 0xe0100000);
    check_ok("start", channel_async_transact(HANDLE_FAR, &verb, sizeof verb, NULL, 0), 0);
    level_rounds(MAPPING_EDU_START_ADDRESS, HANDLE_LINES, ROUNDS);
    check_signals("the other CPU", object_wait(HANDLE_FAR, SIGNAL_READABLE, TIME_MAX), SIGNAL_READABLE);
    check_ok("the other CPU", channel_async_complete(HANDLE_FAR), 0);

    for (int life = 0; life < 3; life++) {
        ask_far(LEVEL_DIE, STATUS_UNAVAILABLE);
        check_signals("ended", object_wait(HANDLE_FAR_PROCESS, SIGNAL_JOINABLE, TIME_MAX), SIGNAL_JOINABLE);
        check_ok("join", task_join(HANDLE_FAR_PROCESS, &status, sizeof status), sizeof status);
        check_ok("start again", process_start(HANDLE_FAR_PROCESS), 0);
        check_signals("started", object_wait(HANDLE_FAR, SIGNAL_WRITEABLE, TIME_MAX), SIGNAL_WRITEABLE);
        ask_far(LEVEL_FIND, STATUS_OK);
        ask_far(LEVEL_ROUNDS, STATUS_OK);
    }
    tern_success();
}
