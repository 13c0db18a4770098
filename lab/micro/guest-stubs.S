/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The start of a guest's image, for the guests of micro and torture: the header
 * for the VMM, the first instructions, and a stub for each exception vector.
 * To be included by a file that has guest_main and common in it.
 */
	.section .header, "a"
	.long	guest_start
	.long	stubs

	.text
	.globl	guest_start
guest_start:
	/*
	 * The VMM could set TR as it is to be, busy and all. But QEMU's TCG takes
	 * a busy TSS for a fatal error of its own when a fault at CPL 3 looks up
	 * its stack in 32-bit mode; what LTR leaves in TR suits every CPU.
	 */
	mov	$GUEST_TSS_SELECTOR, %eax
	ltr	%ax
	call	guest_main
1:	jmp	1b

/*
 * One stub a vector: all leave a vector number and an error code on the stack
 * and go to common. 8, 10 to 14, 17 and 21 come with an error code.
 */
	.balign	GUEST_STUB_SIZE
stubs:
	.set	vector, 0
	.rept	GUEST_NR_VECTORS
	.balign	GUEST_STUB_SIZE
	.if	!((0x227d00 >> vector) & 1)
	push	$0
	.endif
	push	$vector
	jmp	common
	.set	vector, vector + 1
	.endr
