/* SPDX-License-Identifier: MIT
 * A service that cannot start, whatever its supervisor tries. */
#include "handles.h"
#include "user/rt/tern.h"

int main(void)
{
    tern_panic("there is no %s", PROCESS_NAME);
}
