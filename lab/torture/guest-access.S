/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The torture guest's image: accesses at CPL 0 and CPL 3 that may fault. An
 * access is a call of run_access(), which every exception comes back from, the
 * breakpoint that code at CPL 3 ends its access with among them. The same file for both
 * modes; what differs is in the macros.
 */
#include "torture.h"

#ifdef __x86_64__
# define A		%rax
# define B		%rbx
# define C		%rcx
# define D		%rdx
# define DI		%rdi
# define SP		%rsp
# define BP		%rbp
# define IRET		iretq
# define PUSHF		pushfq
# define POPF		popfq
# define WORD		8
#else
# define A		%eax
# define B		%ebx
# define C		%ecx
# define D		%edx
# define DI		%edi
# define SP		%esp
# define BP		%ebp
# define IRET		iretl
# define PUSHF		pushfl
# define POPF		popfl
# define WORD		4
#endif

#include "guest-stubs.S"

/*
 * The top of the stack is where an exception at CPL 3 puts its frame. Data
 * segments are those of CPL 3 for good, as IRET to there clears others.
 */
	.globl	guest_main
guest_main:
	mov	$GUEST_USER_DS, %eax
	mov	%eax, %ds
	mov	%eax, %es
	sub	$(0x100 - WORD), SP
	call	torture_main

/* Stack: vector, error code, instruction pointer, ... */
common:
	mov	A, access_value
	mov	%cr2, A
	mov	A, access_cr2
	pop	A
	mov	%eax, access_vector
	pop	A
	mov	%eax, access_error_code
	pop	A
	mov	A, access_ip
	mov	access_stack, SP
	test	SP, SP
	jnz	leave_access
	mov	$GUEST_KERNEL_STACK(0), SP
	call	unexpected_exception

/*
 * void run_access(code, address, value, flags): CODE is one of the access_*
 * below; FLAGS has 1 for CPL 3, 2 for CPL 0 with EFLAGS.AC set. What became of
 * it is in access_vector and so on.
 */
	.globl	run_access
run_access:
#ifdef __x86_64__
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rdi, B
	mov	%rsi, DI
	mov	D, A
#else
	push	%ebx
	push	%ebp
	push	%esi
	push	%edi
	mov	5 * WORD(%esp), B
	mov	6 * WORD(%esp), DI
	mov	7 * WORD(%esp), A
	mov	8 * WORD(%esp), C
#endif
	PUSHF
	mov	SP, access_stack
	test	$1, %ecx
	jnz	at_cpl_3
	test	$2, %ecx
	jz	1f
	PUSHF
	orl	$0x40000, (SP)
	POPF
1:	call	*B
	mov	A, access_value
	movl	$VECTOR_BREAKPOINT, access_vector
	mov	access_stack, SP

leave_access:
	movl	$0, access_stack
	POPF
#ifdef __x86_64__
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
#else
	pop	%edi
	pop	%esi
	pop	%ebp
	pop	%ebx
#endif
	ret

at_cpl_3:
	add	$(USER_CODE - user_code), B
	push	$GUEST_USER_DS
	push	$(USER_STACK - 2 * WORD)
	PUSHF
	push	$GUEST_USER_CS
	push	$USER_CODE
	IRET

/* To be copied to USER_CODE, and run there at CPL 3. */
	.globl	user_code, user_code_end
user_code:
	call	*B
	int3

	.globl	access_read, access_write, access_write_32, access_write_16
	.globl	access_write_8, access_exchange, access_fetch
access_read:
	mov	(DI), %eax
	ret
access_write:
	mov	A, (DI)
	ret
access_write_32:
	mov	%eax, (DI)
	ret
access_write_16:
	mov	%ax, (DI)
	ret
access_write_8:
	mov	%al, (DI)
	ret
access_exchange:
	xchg	A, (DI)
	ret
access_fetch:
	call	*DI
	ret
user_code_end:

	.bss
	.balign	8
	.globl	access_value, access_cr2, access_ip, access_vector, access_error_code
access_value:	.quad 0
access_cr2:	.quad 0
access_ip:	.quad 0
access_stack:	.quad 0		/* 0: there is no access */
access_vector:	.long 0
access_error_code: .long 0

	.section .note.GNU-stack, "", @progbits
