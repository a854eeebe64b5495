/* SPDX-License-Identifier: MIT
 * Lines and words of requests. They come from outside: any byte may stand anywhere. */
#include "sys/request.h"

#include "ipc/router.h"

static size_t skip_blanks(const char *text, size_t n, size_t i)
{
    while (i < n && text[i] == ' ')
        i++;
    return i;
}

static size_t skip_word(const char *text, size_t n, size_t i)
{
    while (i < n && text[i] != ' ')
        i++;
    return i;
}

static bool is_type(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return n > 0 && n < ROUTER_TYPE_BYTES;
}

enum status request_parse(const char *text, size_t n, struct request *r)
{
    size_t module = skip_blanks(text, n, 0), module_end = skip_word(text, n, module);
    size_t type = skip_blanks(text, n, module_end), type_end = skip_word(text, n, type);
    size_t payload = type_end < n ? type_end + 1 : n;
    *r = (struct request){.module = text + module,
                          .module_bytes = module_end - module,
                          .type = text + type,
                          .type_bytes = type_end - type,
                          .payload = text + payload,
                          .payload_bytes = n - payload};
    return r->module_bytes && is_type(r->type, r->type_bytes) ? STATUS_OK : STATUS_INVALID_ARGUMENT;
}

static enum request_news line_end(struct request_reader *r)
{
    bool skipped = r->skipping;
    r->skipping = false;
    if (r->n > 0 && r->text[r->n - 1] == '\r')
        r->n--;
    r->complete = true;
    return skipped || r->n == 0 ? REQUEST_MORE : REQUEST_COMPLETE;
}

enum request_news request_read(struct request_reader *r, char c)
{
    if (r->complete)
        r->n = 0;
    r->complete = false;
    if (c == '\n')
        return line_end(r);
    if (r->n < sizeof(r->text)) {
        r->text[r->n++] = c;
        return REQUEST_MORE;
    }
    bool before = r->skipping;
    r->skipping = true;
    return before ? REQUEST_MORE : REQUEST_TOO_LONG;
}
