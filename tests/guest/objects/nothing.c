/* SPDX-License-Identifier: MIT
 * A program of images that are refused before it runs. */
#include "user/rt/tern.h"

int main(void)
{
    tern_failure(STATUS_INTERNAL, "the image was not refused");
}
