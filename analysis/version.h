/* SPDX-License-Identifier: GPL-2.0 */
/* faultline's own version, which the file VERSION says. */
#ifndef FAULTLINE_VERSION_H
#define FAULTLINE_VERSION_H

extern const char fl_version[];

#endif /* FAULTLINE_VERSION_H */
