/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The micro guest's image: its header, the exception stubs, and the way to
 * CPL 3. The same file for both modes; what differs is in the macros.
 */
#include "guest.h"

#ifdef __x86_64__
# define A		%rax
# define SP		%rsp
# define IRET		iretq
# define PUSHF		pushfq
# define WORD		8
#else
# define A		%eax
# define SP		%esp
# define IRET		iretl
# define PUSHF		pushfl
# define WORD		4
#endif

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
 * One stub a vector: all leave a vector number and an error code on the stack.
 * 8, 10 to 14, 17 and 21 come with an error code.
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

/* Stack: vector, error code, instruction pointer, ... */
common:
#ifdef __x86_64__
	push	%rax
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	mov	9 * WORD(%rsp), %edi
	mov	10 * WORD(%rsp), %esi
	mov	11 * WORD(%rsp), %rdx
	cld
	call	guest_fault
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rax
#else
	pushal
	cld
	pushl	10 * WORD(%esp)		/* instruction pointer */
	pushl	10 * WORD(%esp)		/* error code */
	pushl	10 * WORD(%esp)		/* vector */
	call	guest_fault
	add	$3 * WORD, %esp
	popal
#endif
	add	$2 * WORD, SP
	IRET

/*
 * void enter_user_mode(void (*function)(void)): calls function at CPL 3, with
 * the right to use I/O ports (IOPL 3), which is how the guest ends.
 */
	.globl	enter_user_mode
enter_user_mode:
#ifdef __x86_64__
	mov	%rdi, A
#else
	mov	WORD(%esp), A
	mov	$GUEST_USER_DS, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
#endif
	push	$GUEST_USER_DS
	push	$(GUEST_USER_STACK - 2 * WORD)	/* aligned as after a call */
	PUSHF
	orl	$0x3000, (SP)
	push	$GUEST_USER_CS
	push	A
	IRET

	.section .note.GNU-stack, "", @progbits
