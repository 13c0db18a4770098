/* SPDX-License-Identifier: GPL-2.0 */
/* The terminal of `faultline top`, by ncurses. What is on it is top-view.h's. */
#ifndef FAULTLINE_TOP_SCREEN_H
#define FAULTLINE_TOP_SCREEN_H

#include "top-view.h"

/*
 * Take the terminal, which standard input and output must be. It is given back
 * before an error is said. Call fl_interrupt_catch() before. 0 or -1.
 */
int fl_screen_open(void);

void fl_screen_draw(struct fl_top_view *view, const struct fl_top_frame *frame);

/*
 * Pass all keys that were pressed to @view; never waits. False if the terminal is
 * gone.
 */
bool fl_screen_read_keys(struct fl_top_view *view);

/* Give the terminal back as it was; also after an error, and twice. */
void fl_screen_close(void);

#endif /* FAULTLINE_TOP_SCREEN_H */
