/* SPDX-License-Identifier: MIT
 * Is born and dies, with a code that is looked for. */
int main(void)
{
    return 77;
}
