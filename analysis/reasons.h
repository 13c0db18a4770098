/* SPDX-License-Identifier: GPL-2.0 */
/* Exit reasons by name, as the vendors' manuals call them. */
#ifndef FAULTLINE_REASONS_H
#define FAULTLINE_REASONS_H

#include "exit_reason.h"

/* Room for a name, whatever it is. */
#define FL_REASON_NAME 32

/*
 * The name of the reason whose slot is @slot (see fl_reason_slot()) with
 * instruction set @isa, e.g. "npf" or "ept_violation"; "code_0x1f" for one that
 * has no name here. Written to @name if it has to be made up.
 */
const char *fl_reason_name(__u32 isa, __u32 slot, char name[FL_REASON_NAME]);

/* Back from a name to the slot; that of "unknown" if there is no such one. */
__u32 fl_reason_by_name(__u32 isa, const char *name);

#endif /* FAULTLINE_REASONS_H */
