# SPDX-License-Identifier: MIT
"""A client of the GDB remote serial protocol, as far as a test needs it to step through a guest of QEMU.

QEMU's stub answers in plain hexadecimal, without run lengths. A breakpoint is the emulator's: the guest's memory stays
as it is. Commands of QEMU's monitor go the same way as the rest, so one connection does.
"""
import socket
import struct

from jobs import Failed

ANSWER_S = 60.0
# QEMU's `g` packet for x86_64: general registers, RIP, flags, selectors, bases, control registers; then x87 and SSE.
NAMES = (
    "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags cs ss ds es fs gs"
    " fs_base gs_base k_gs_base cr0 cr2 cr3 cr4 cr8 efer"
).split()
LAYOUT = struct.Struct("<17Q7I9Q")
Registers = dict[str, int]


class Remote:
    """A stopped machine with one CPU at the other end of a connected socket. Each method raises Failed when the stub
    refuses, says nothing for a minute, or is gone."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.link.settimeout(ANSWER_S)
        self.received = b""
        self.breakpoints: set[int] = set()
        self.command("Qqemu.sstep=0x1")  # QEMU would hold interrupts, NMIs too, and timers while stepping

    def send(self, text: str) -> None:
        """One packet, behind the acknowledgement of what was received before. The stub's own is left to receive()."""
        data = text.encode("ascii")
        try:
            self.link.sendall(b"+$%b#%02x" % (data, sum(data) & 0xFF))
        except OSError as error:
            raise Failed(f"QEMU's gdb stub is gone: {error.strerror}") from None

    def receive(self) -> str:
        """The next packet."""
        while True:
            start = self.received.find(b"$")
            end = self.received.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.received) - 3:
                data = self.received[start + 1 : end]
                if int(self.received[end + 1 : end + 3], 16) != sum(data) & 0xFF:
                    raise Failed("a packet of QEMU's gdb stub has a wrong checksum")
                self.received = self.received[end + 3 :]
                return data.decode("ascii")
            try:
                more = self.link.recv(65536)
            except TimeoutError:
                raise Failed(f"QEMU's gdb stub said nothing for {ANSWER_S:g} s") from None
            except OSError as error:
                raise Failed(f"QEMU's gdb stub is gone: {error.strerror}") from None
            if not more:
                raise Failed("the guest ended while it was stepped through")
            self.received += more

    def ask(self, text: str) -> str:
        """The answer to a packet, unless it is an error."""
        self.send(text)
        answer = self.receive()
        if not answer or answer.startswith("E"):
            raise Failed(f"QEMU's gdb stub refuses {text}: {answer or 'unknown'}")
        return answer

    def command(self, text: str) -> None:
        """A packet whose answer is OK."""
        answer = self.ask(text)
        if answer != "OK":
            raise Failed(f"QEMU's gdb stub answers {text} with {answer}")

    def registers(self) -> Registers:
        """All but those of x87 and SSE."""
        return dict(zip(NAMES, LAYOUT.unpack_from(bytes.fromhex(self.ask("g")))))

    def write(self, name: str, value: int) -> None:
        """Sets a general register, RIP or RFLAGS, which QEMU allows to who has asked what registers there are."""
        self.ask("qXfer:features:read:target.xml:0,ff")
        self.command(f"P{NAMES.index(name):x}={struct.pack('<I' if name == 'rflags' else '<Q', value).hex()}")

    def words_write(self, address: int, *values: int) -> None:
        """Sets 64-bit words of the memory at a virtual address."""
        self.command(f"M{address:x},{8 * len(values):x}:{struct.pack(f'<{len(values)}Q', *values).hex()}")

    def memory(self, address: int, count: int) -> bytes:
        """Bytes at a virtual address, as the CPU would find them now."""
        return bytes.fromhex(self.ask(f"m{address:x},{count:x}"))

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """The same as 64-bit words."""
        return struct.unpack(f"<{count}Q", self.memory(address, 8 * count))

    def break_at(self, *addresses: int) -> None:
        """Makes resume() stop there, and nowhere else."""
        for address in self.breakpoints - set(addresses):
            self.command(f"z0,{address:x},1")
        for address in set(addresses) - self.breakpoints:
            self.command(f"Z0,{address:x},1")
        self.breakpoints = set(addresses)

    def go(self, how: str) -> Registers:
        """Steps (`s`) or continues (`c`); the registers when the CPU has stopped again."""
        answer = self.ask(how)
        if not answer.startswith("T05"):
            raise Failed(f"the guest ended while it was stepped through: {answer}")
        return self.registers()

    def step(self) -> Registers:
        """One instruction, or the arrival of an interrupt; the registers then."""
        return self.go("s")

    def resume(self, at: int | None = None) -> Registers:
        """Goes on until a breakpoint, leaving the one where the CPU may be; the registers then. `at`: its RIP, if
        known."""
        if (self.registers()["rip"] if at is None else at) in self.breakpoints:
            now = self.step()
            if now["rip"] in self.breakpoints:
                return now
        return self.go("c")

    def run_to(self, address: int) -> Registers:
        """Goes on to one place, past all breakpoints, which stay; the registers then."""
        kept = self.breakpoints
        self.break_at(address)
        now = self.resume()
        self.break_at(*kept)
        return now

    def leave(self) -> None:
        """Lets the machine run on, without breakpoints and without waiting."""
        self.break_at()
        self.send("c")

    def monitor(self, text: str) -> str:
        """A command of QEMU's monitor; what it says."""
        self.send(f"qRcmd,{text.encode('ascii').hex()}")
        said = ""
        while (answer := self.receive()) != "OK":
            if not answer.startswith("O"):
                raise Failed(f"QEMU's monitor refuses {text}: {answer or 'unknown'}")
            said += bytes.fromhex(answer[1:]).decode("utf-8", "replace")
        return said
