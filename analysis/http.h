/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An HTTP server with one page, /metrics. It runs when it is told to, in the
 * caller's thread, and never waits for a client.
 */
#ifndef FAULTLINE_HTTP_H
#define FAULTLINE_HTTP_H

#include <stddef.h>

#include <linux/types.h>

#include "exposition.h"

struct fl_http;

/* Make the page, to be freed by free(), and set its @size. NULL if that fails. */
typedef char *fl_page_handler(enum fl_exposition format, size_t *size, void *data);

/*
 * Serve on socket @fd, which listens; it is the server's after this, also if it
 * fails. NULL, and has told the user, if it does.
 */
struct fl_http *fl_http_open(int fd, fl_page_handler *handle, void *data);

/* A descriptor that is readable when there is something to serve. */
int fl_http_fd(const struct fl_http *http);

/* In how many ns it has to run all the same, for connections that time out. */
__u64 fl_http_time_left(const struct fl_http *http, __u64 ns);

/* Serve what there is to serve. 0 or -1. */
int fl_http_run(struct fl_http *http);

void fl_http_close(struct fl_http *http);

#endif /* FAULTLINE_HTTP_H */
