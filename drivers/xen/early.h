/* SPDX-License-Identifier: MIT
 * Text to Xen's own log, a port access per byte: for what is said before the console is up, and for a panic. Xen shows
 * it as lines of this domain, if it is booted with guest_loglvl=all, and not more than its rate limit lets through. */
#pragma once

/* Adds it to the log's sinks. After xen_detect. Boot CPU. */
void xen_early_begin(void);

/* The log has a better way. */
void xen_early_end(void);
