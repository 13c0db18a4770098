// SPDX-License-Identifier: GPL-2.0
/* Compiled anew when the file VERSION changes. See version.h. */
#include "version.h"

const char fl_version[] = FL_VERSION;
