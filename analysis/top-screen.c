// SPDX-License-Identifier: GPL-2.0
/* The terminal of `faultline top`. See top-screen.h. */
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "error.h"
#include "top-screen.h"

static SCREEN *screen;

/*
 * Resizing interrupts only a wait, like the signals that end a measurement, so
 * that none is missed. A quit from the keyboard would leave the terminal as it is.
 */
static void hold_signals(void)
{
	sigset_t resize;

	sigemptyset(&resize);
	sigaddset(&resize, SIGWINCH);
	sigprocmask(SIG_BLOCK, &resize, NULL);
	signal(SIGQUIT, SIG_IGN);
}

int fl_screen_open(void)
{
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fl_fail("a live view needs a terminal; use 'faultline stat -i 1', or -b");
	screen = newterm(NULL, stdout, stdin);
	if (!screen)
		return fl_fail("no terminal '%s' is known here; set TERM, e.g. to vt100, or use -b",
			       type ? type : "");
	fl_before_errors(fl_screen_close);
	hold_signals();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	return 0;
}

static void put(int y, enum fl_top_style style, const char *line, void *data)
{
	static const attr_t attributes[] = {
		[FL_TOP_PLAIN] = A_NORMAL, [FL_TOP_BOLD] = A_BOLD, [FL_TOP_REVERSE] = A_REVERSE,
	};

	(void)data;
	attrset(attributes[style]);
	mvaddstr(y, 0, line);
	attrset(A_NORMAL);
}

void fl_screen_draw(struct fl_top_view *view, const struct fl_top_frame *frame)
{
	erase();
	fl_top_draw(view, frame, COLS, LINES, put, NULL);
	refresh();
}

static int translate(int key)
{
	switch (key) {
	case KEY_UP:		return FL_KEY_UP;
	case KEY_DOWN:		return FL_KEY_DOWN;
	case KEY_PPAGE:		return FL_KEY_PAGE_UP;
	case KEY_NPAGE:		return FL_KEY_PAGE_DOWN;
	case KEY_HOME:		return FL_KEY_HOME;
	case KEY_END:		return FL_KEY_END;
	case KEY_BACKSPACE:	return FL_KEY_BACKSPACE;
	case KEY_ENTER:		return '\n';
	default:		return key < 128 ? key : FL_KEY_RESIZE;
	}
}

bool fl_screen_read_keys(struct fl_top_view *view)
{
	struct pollfd terminal = { .fd = STDIN_FILENO };
	int key;

	while ((key = getch()) != ERR)
		fl_top_press(view, translate(key));
	return poll(&terminal, 1, 0) <= 0;
}

void fl_screen_close(void)
{
	fl_before_errors(NULL);
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}
