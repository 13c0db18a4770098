/* SPDX-License-Identifier: GPL-2.0 */
/* Files of JSON that are whole or not there. For lab-results and bench-results. */
#ifndef LAB_JSON_FILE_H
#define LAB_JSON_FILE_H

#include <json-c/json.h>

/* 0, or -1 after an error message. */
int json_file_write(struct json_object *object, const char *path);

#endif /* LAB_JSON_FILE_H */
