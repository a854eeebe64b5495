/* SPDX-License-Identifier: MIT
 * One of four clients: sends 1, 2, 3 and so on, and sees the total rise by at least that much. */
#include "handles.h"
#include "user/programs/fan_in.h"

int main(void)
{
    uint64_t total = 0;
    for (uint64_t amount = 1; amount <= CONSTANT_CALLS; amount++) {
        struct add_request request = {amount};
        struct add_response response;
        enum status s = tern_call(HANDLE_SERVER, &request, &response, TIME_MAX);
        if (s != STATUS_OK)
            tern_panic("add: %s", tern_status_name(s));
        if (response.total < total + amount)
            tern_panic("the total went from %lu to %lu", total, response.total);
        total = response.total;
    }
    return 0;
}
