/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The micro guest's image: what follows an exception stub, and the way to
 * CPL 3. The same file for both modes; what differs is in the macros.
 */
#include "guest.h"

#ifdef __x86_64__
# define A		%rax
# define C		%rcx
# define SP		%rsp
# define IRET		iretq
# define PUSHF		pushfq
# define WORD		8
#else
# define A		%eax
# define C		%ecx
# define SP		%esp
# define IRET		iretl
# define PUSHF		pushfl
# define WORD		4
#endif

#include "guest-stubs.S"

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
 * void enter_user_mode(void (*function)(void), unsigned long stack): calls
 * function at CPL 3, with the right to use I/O ports (IOPL 3), which is how the
 * guest ends. stack is the top of its stack.
 */
	.globl	enter_user_mode
enter_user_mode:
#ifdef __x86_64__
	mov	%rdi, A
	mov	%rsi, C
#else
	mov	WORD(%esp), A
	mov	$GUEST_USER_DS, C
	mov	C, %ds
	mov	C, %es
	mov	2 * WORD(%esp), C
#endif
	sub	$2 * WORD, C			/* aligned as after a call */
	push	$GUEST_USER_DS
	push	C
	PUSHF
	orl	$0x3000, (SP)
	push	$GUEST_USER_CS
	push	A
	IRET

	.section .note.GNU-stack, "", @progbits
