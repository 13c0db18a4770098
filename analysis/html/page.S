/* SPDX-License-Identifier: GPL-2.0 */
/* The two halves of the report's page, as the command carries them; html.mk makes them. */
	.section .rodata
	.globl	fl_page_head, fl_page_head_end
	.globl	fl_page_tail, fl_page_tail_end

fl_page_head:
	.incbin	"start.html"
fl_page_head_end:

fl_page_tail:
	.incbin	"end.html"
fl_page_tail_end:

	.section .note.GNU-stack, "", @progbits
