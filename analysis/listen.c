// SPDX-License-Identifier: GPL-2.0
/* Addresses to listen on, and sockets that do. See listen.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "listen.h"
#include "options.h"

/* Connections that wait to be accepted. */
#define BACKLOG 16

/* ---- Addresses ---- */

/* Split "ADDRESS:PORT"; brackets around an IPv6 address go. */
static bool split(const char *text, char host[INET6_ADDRSTRLEN], char port[6])
{
	const char *colon = strrchr(text, ':');
	size_t length;

	if (!colon || strlen(colon + 1) > 5 || !colon[1])
		return false;
	strcpy(port, colon + 1);
	length = colon - text;
	if (length > 2 && *text == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return false;
	}
	if (!length || length >= INET6_ADDRSTRLEN)
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	if (!strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	return true;
}

static void write_down(struct fl_address *address)
{
	char host[INET6_ADDRSTRLEN], port[8];
	bool v6 = address->socket.ss_family == AF_INET6;

	getnameinfo((struct sockaddr *)&address->socket, address->length, host, sizeof(host),
		    port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(address->text, sizeof(address->text), v6 ? "[%s]:%s" : "%s:%s", host, port);
}

int fl_address_parse(const char *subcommand, const char *text, struct fl_address *address)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	char host[INET6_ADDRSTRLEN], port[6];
	struct addrinfo *found;

	if (!split(text, host, port) || strspn(port, "0123456789") != strlen(port) ||
	    strtoul(port, NULL, 10) > 65535 || getaddrinfo(host, port, &hints, &found))
		return fl_usage_error(subcommand, "--listen %s is not ADDRESS:PORT, as 127.0.0.1:10753 or [::1]:10753",
				      text);
	memcpy(&address->socket, found->ai_addr, found->ai_addrlen);
	address->length = found->ai_addrlen;
	freeaddrinfo(found);
	write_down(address);
	return FL_DONE;
}

bool fl_address_is_loopback(const struct fl_address *address)
{
	const struct sockaddr_in *v4 = (const void *)&address->socket;
	const struct sockaddr_in6 *v6 = (const void *)&address->socket;

	if (address->socket.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

/* ---- Sockets ---- */

static const char *advice(int error)
{
	switch (error) {
	case EADDRINUSE:
		return "another program listens there; choose another port";
	case EADDRNOTAVAIL:
		return "this host has no such address; 'ip address' lists those it has";
	case EACCES:
		return "ports below 1024 are for root; choose another one";
	default:
		return "choose another address";
	}
}

static int fail(const struct fl_address *address, int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	return fl_fail("cannot listen on %s: %s; %s", address->text, strerror(error), advice(error));
}

int fl_listen(struct fl_address *address)
{
	int fd, yes = 1;

	fd = socket(address->socket.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(address, fd);
	/* Connections of a predecessor that are being closed are not in the way. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address->socket, address->length) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&address->socket, &address->length))
		return fail(address, fd);
	write_down(address);
	return fd;
}
