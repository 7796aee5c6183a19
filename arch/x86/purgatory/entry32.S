/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entered in 32-bit protected mode without paging, with a stack and without a usable GDT
 * (relocate_kernel_32.S). Leaves as Documentation/arch/x86/boot.rst wants it for the 32-bit
 * entry.
 */
#include "arch/x86/purgatory/params.h"

#define BOOT_CS 0x10 /* __BOOT_CS, __BOOT_DS of the boot protocol */
#define BOOT_DS 0x18

	.section .entry, "awx"
	.code32
#include "arch/x86/purgatory/head.inc"
	.quad	0x00cf9b000000ffff	/* BOOT_CS: 32-bit code, flat */
	.quad	0x00cf93000000ffff	/* BOOT_DS: data, flat */
gdt_end:
gdt_ptr:
	.word	gdt_end - gdt - 1
	.long	0
	.balign	4
stack_from_here:
	.long	stack_end - .

	.globl	purgatory_entry
purgatory_entry:
	cli
	cld
	call	1f
1:	popl	%ebx
	addl	$(purgatory_params - 1b), %ebx
	leal	gdt - purgatory_params(%ebx), %eax
	movl	%eax, gdt_ptr+2 - purgatory_params(%ebx)
	lgdt	gdt_ptr - purgatory_params(%ebx)
	leal	stack_from_here - purgatory_params(%ebx), %eax
	addl	(%eax), %eax
	movl	$BOOT_DS, %ecx
	movl	%ecx, %ds
	movl	%ecx, %es
	movl	%ecx, %ss
	movl	%ecx, %fs
	movl	%ecx, %gs
	movl	%eax, %esp
	leal	2f - purgatory_params(%ebx), %eax
	pushl	$BOOT_CS
	pushl	%eax
	lretl
2:
	pushl	%ebx
	call	purgatory_main
	movl	PURGATORY_AT_BOOT_PARAMS(%ebx), %esi
	movl	PURGATORY_AT_KERNEL(%ebx), %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	jmp	*%eax

	.section .note.GNU-stack, "", @progbits
