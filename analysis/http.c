// SPDX-License-Identifier: GPL-2.0
/* The HTTP server of `faultline export`, by libmicrohttpd. See http.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "error.h"
#include "http.h"

/*
 * What one client can take: a scrape needs one connection, a few hundred bytes
 * of header, and no time.
 */
#define MAX_CONNECTIONS		32
#define TIMEOUT_SECONDS		10
#define CONNECTION_MEMORY	16384

struct fl_http {
	struct MHD_Daemon *daemon;
	fl_page_handler *handle;
	void *data;
};

/* ---- Answers ---- */

/* Nothing here is to be kept, guessed at, or shown as a page that runs something. */
static const struct {
	const char *name, *value;
} headers[] = {
	{ "Cache-Control", "no-store" },
	{ "X-Content-Type-Options", "nosniff" },
	{ "Content-Security-Policy", "default-src 'none'" },
	{ "Vary", "Accept" },
};

/* Send @body, which is freed. */
static enum MHD_Result answer(struct MHD_Connection *connection, unsigned int status,
			      const char *content_type, const char *allow,
			      char *body, size_t size)
{
	struct MHD_Response *response;
	enum MHD_Result ret;
	size_t i;

	response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", content_type);
	for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		MHD_add_response_header(response, headers[i].name, headers[i].value);
	if (allow)
		MHD_add_response_header(response, "Allow", allow);
	ret = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return ret;
}

static enum MHD_Result answer_line(struct MHD_Connection *connection, unsigned int status,
				   const char *allow, const char *line)
{
	char *body = strdup(line);

	if (!body)
		return MHD_NO;
	return answer(connection, status, "text/plain; charset=utf-8", allow, body, strlen(body));
}

static enum MHD_Result answer_page(const struct fl_http *http, struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");
	enum fl_exposition format = fl_exposition_choose(accept);
	size_t size;
	char *page = http->handle(format, &size, http->data);

	if (!page)
		return answer_line(connection, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				   "the counts could not be read\n");
	return answer(connection, MHD_HTTP_OK, fl_exposition_content_type(format), NULL, page, size);
}

/*
 * Called when a request's header is complete, for what follows it, and when it is
 * all there. Who gets an answer before that loses the connection.
 */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection,
				  const char *url, const char *method, const char *version,
				  const char *upload, size_t *upload_size, void **state)
{
	(void)version;
	(void)upload;
	if (strcmp(url, "/metrics"))
		return answer_line(connection, MHD_HTTP_NOT_FOUND, NULL,
				   "not found; metrics are at /metrics\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_line(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD",
				   "only GET and HEAD are allowed\n");
	if (*state && !*upload_size)
		return answer_page(data, connection);
	*state = data;
	*upload_size = 0;	/* nobody wants it */
	return MHD_YES;
}

/* ---- The server ---- */

/* What clients do wrong is no news. */
static void log_nothing(void *data, const char *format, va_list args)
{
	(void)data;
	(void)format;
	(void)args;
}

struct fl_http *fl_http_open(int fd, fl_page_handler *handle, void *data)
{
	struct fl_http *http = calloc(1, sizeof(*http));

	if (http) {
		http->handle = handle;
		http->data = data;
		http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG, 0, NULL, NULL,
			on_request, http,
			MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
			MHD_OPTION_LISTEN_SOCKET, fd,
			MHD_OPTION_CONNECTION_LIMIT, MAX_CONNECTIONS,
			MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_SECONDS,
			MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
			MHD_OPTION_END);
	}
	if (http && http->daemon)
		return http;
	fl_fail("cannot start the HTTP server: %s; free some memory", strerror(errno));
	close(fd);
	free(http);
	return NULL;
}

int fl_http_fd(const struct fl_http *http)
{
	return MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

__u64 fl_http_time_left(const struct fl_http *http, __u64 ns)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES || ms >= ns / 1000000)
		return ns;
	return ms * 1000000ULL;
}

int fl_http_run(struct fl_http *http)
{
	if (MHD_run(http->daemon) != MHD_YES)
		return fl_fail("the HTTP server has failed: %s; start it again", strerror(errno));
	return 0;
}

void fl_http_close(struct fl_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}
