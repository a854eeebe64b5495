/* SPDX-License-Identifier: MIT
 * The log's own affairs: levels, and how other CPUs' bytes reach the boot CPU. */
#pragma once
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO };

/* Lines below this level are dropped. Boot. */
void log_set_level(enum log_level level);

/* From here on other CPUs can log. Boot CPU, after inboxes exist. */
void log_open_to_all(void);

/* Takes what other CPUs sent. Boot CPU. */
void log_collect(void);

/* The other CPUs are stopped: this one writes whatever it is. */
void log_panic_mode(void);
