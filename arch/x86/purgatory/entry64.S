/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entered in 64-bit mode on the old kernel's identity mapping (relocate_kernel_64.S). Leaves
 * as Documentation/arch/x86/boot.rst wants it for the 64-bit or for the 32-bit entry.
 */
#include "arch/x86/purgatory/params.h"

#define BOOT_CS	  0x10 /* __BOOT_CS, __BOOT_DS of the boot protocol */
#define BOOT_DS	  0x18
#define COMPAT_CS 0x20

#define CR0_PG	  0x80000000
#define MSR_EFER  0xc0000080
#define EFER_LME  8

	.section .entry, "awx"
	.code64
#include "arch/x86/purgatory/head.inc"
	.quad	0x00af9b000000ffff	/* BOOT_CS: 64-bit code */
	.quad	0x00cf93000000ffff	/* BOOT_DS: data, flat */
	.quad	0x00cf9b000000ffff	/* COMPAT_CS: 32-bit code, flat */
gdt_end:
gdt_ptr:
	.word	gdt_end - gdt - 1
	.quad	0
	.balign	8
gdt32:	.quad	0
	.quad	0
	.quad	0x00cf9b000000ffff	/* BOOT_CS: 32-bit code */
	.quad	0x00cf93000000ffff
gdt32_end:
gdt32_ptr:
	.word	gdt32_end - gdt32 - 1
	.long	0

	.globl	purgatory_entry
purgatory_entry:
	cli
	cld
	leaq	gdt(%rip), %rax
	movq	%rax, gdt_ptr+2(%rip)
	lgdt	gdt_ptr(%rip)
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	leaq	stack_end(%rip), %rsp
	leaq	1f(%rip), %rax
	pushq	$BOOT_CS
	pushq	%rax
	lretq
1:
	leaq	purgatory_params(%rip), %rdi
	call	purgatory_main
	leaq	purgatory_params(%rip), %rbx
	movq	PURGATORY_AT_BOOT_PARAMS(%rbx), %rsi
	movq	PURGATORY_AT_KERNEL(%rbx), %rax
	testl	$PURGATORY_ENTRY_32, PURGATORY_AT_FLAGS(%rbx)
	jnz	to_32
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	jmp	*%rax

	/* All of this lies below 4 GiB; the loader sees to it. */
to_32:
	movl	%eax, %edi
	leaq	gdt32(%rip), %rax
	movl	%eax, gdt32_ptr+2(%rip)
	leaq	compat(%rip), %rax
	pushq	$COMPAT_CS
	pushq	%rax
	lretq

	.code32
compat:
	movl	%cr0, %eax
	andl	$~CR0_PG, %eax
	movl	%eax, %cr0
	movl	$MSR_EFER, %ecx
	rdmsr
	btrl	$EFER_LME, %eax
	wrmsr
	xorl	%eax, %eax
	movl	%eax, %cr4
	lgdt	gdt32_ptr - purgatory_params(%ebx)
	leal	flat - purgatory_params(%ebx), %eax
	pushl	$BOOT_CS
	pushl	%eax
	lretl
flat:
	movl	$BOOT_DS, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%edi, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%edi, %edi
	xorl	%ebp, %ebp
	jmp	*%eax

	.section .note.GNU-stack, "", @progbits
