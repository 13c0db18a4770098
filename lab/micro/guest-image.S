/* SPDX-License-Identifier: GPL-2.0 */
/* The two images of the micro guest, as the VMM carries them. */
	.section .rodata
	.globl	guest_image_64, guest_image_64_end
	.globl	guest_image_32, guest_image_32_end

	.balign	16
guest_image_64:
	.incbin	"guest-64.bin"
guest_image_64_end:

	.balign	16
guest_image_32:
	.incbin	"guest-32.bin"
guest_image_32_end:

	.section .note.GNU-stack, "", @progbits
