/* SPDX-License-Identifier: MIT
 * Reads lines from the serial port and writes each back in upper case; "quit" ends the machine. It waits for the signal
 * that says that something was typed, then reads until the line is whole: a read of nothing yet is answered later. */
#include "handles.h"
#include "sys/lib/string.h"
#include "user/programs/uart.h"

#define LINE_BYTES 80
#define BACKSPACE 0x08
#define DELETE 0x7f
#define END_OF_TEXT 0x04 /* Ctrl-D */

static struct {
    struct uart_request head;
    char bytes[UART_WRITE_MAX];
} message;

static void must(const char *what, struct result r)
{
    if (r.status != STATUS_OK)
        tern_failure(r.status, "%s: %s", what, tern_status_name(r.status));
}

static void write_text(const char *text, size_t n)
{
    message.head = (struct uart_request){UART_WRITE, (uint32_t)n};
    memcpy(message.bytes, text, n);
    must("write", channel_transact(HANDLE_STREAM, &message, sizeof message.head + n, NULL, 0, TIME_MAX));
}

static char read_char(void)
{
    static char bytes[32];
    static size_t next, count;
    if (next == count) {
        struct uart_request request = {UART_READ, sizeof bytes};
        struct result r = channel_transact(HANDLE_STREAM, &request, sizeof request, bytes, sizeof bytes, TIME_MAX);
        must("read", r);
        next = 0;
        count = r.value;
    }
    return bytes[next++];
}

/* What is typed shows, and can be taken back; what does not fit is left out. False at the end of the text. */
static bool read_line(char *line, size_t *n)
{
    for (*n = 0;;) {
        char c = read_char();
        if (c == '\r' || c == '\n') {
            write_text("\r\n", 2);
            return true;
        }
        if (c == END_OF_TEXT)
            return false;
        if ((c == BACKSPACE || c == DELETE) && *n > 0) {
            --*n;
            write_text("\b \b", 3);
        } else if (c >= ' ' && c < DELETE && *n < LINE_BYTES) {
            line[(*n)++] = c;
            write_text(&c, 1);
        }
    }
}

static void shout(char *line, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (line[i] >= 'a' && line[i] <= 'z')
            line[i] = (char)(line[i] - 'a' + 'A');
    write_text(line, n);
    write_text("\r\n", 2);
}

int main(void)
{
    static const char greeting[] = "type a line; quit or Ctrl-D ends\r\n";
    char line[LINE_BYTES];
    size_t n;
    write_text(greeting, sizeof greeting - 1);
    must("wait", object_wait(HANDLE_STREAM, SIGNAL_USER, TIME_MAX));
    while (read_line(line, &n) && !(n == 4 && memcmp(line, "quit", 4) == 0))
        shout(line, n);
    tern_success();
}
