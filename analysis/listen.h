/* SPDX-License-Identifier: GPL-2.0 */
/* A TCP socket that listens, from what the user wrote: ADDRESS:PORT. */
#ifndef FAULTLINE_LISTEN_H
#define FAULTLINE_LISTEN_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

struct fl_address {
	struct sockaddr_storage socket;
	socklen_t length;
	char text[NI_MAXHOST + 8];	/* ADDRESS:PORT */
};

/*
 * Take @text apart: 127.0.0.1:PORT, [::1]:PORT or localhost:PORT. No name but
 * this one is looked up, so that it is plain who will be able to connect.
 * FL_DONE or FL_USAGE.
 */
int fl_address_parse(const char *subcommand, const char *text, struct fl_address *address);

/* Whether only this machine can connect to it. */
bool fl_address_is_loopback(const struct fl_address *address);

/*
 * Listen on @address; port 0 becomes one that is free. Returns the socket, which
 * doesn't block, or -1.
 */
int fl_listen(struct fl_address *address);

#endif /* FAULTLINE_LISTEN_H */
