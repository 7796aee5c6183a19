// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Freestanding, without interrupts, floating point or anything to call. What is wrong here
 * nobody is there to see: the machine is reset, so that it comes back up by its firmware.
 */
#include <stdbool.h>
#include <string.h>

#include "arch/x86/purgatory/params.h"
#include "lib/sha256.h"

void purgatory_main(struct purgatory_params *p);

/* The name of its end is what the entry code knows. */
__asm__(".section .bss, \"aw\", @nobits\n"
	".balign 16\n"
	".skip 4096\n"
	".globl stack_end\n"
	"stack_end:\n"
	".text\n");

/* ---- what the compiler and lib/sha256.c call ---- */

void *memcpy(void *to, const void *from, size_t len)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(len) : : "memory");
	return to;
}

void *memset(void *to, int byte, size_t len)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(len) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	for (size_t i = 0; i < len; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* ---- an 8250 serial port ---- */

#define UART_DATA     0
#define UART_DIVISOR  0 /* two bytes, while UART_LCR_DLAB is set */
#define UART_IER      1
#define UART_FCR      2
#define UART_LCR      3
#define UART_MCR      4
#define UART_LSR      5
#define UART_LCR_8N1  0x03
#define UART_LCR_DLAB 0x80
#define UART_MCR_ON   0x03 /* DTR and RTS */
#define UART_LSR_THRE 0x20
#define UART_PATIENCE 0x100000 /* reads of a port that may not be there */

static void outb(uint16_t port, uint8_t byte)
{
	__asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
	uint8_t byte;

	__asm__ volatile("inb %1, %0" : "=a"(byte) : "Nd"(port));
	return byte;
}

static void serial_init(const struct purgatory_params *p)
{
	uint16_t port = p->serial_port;

	if (!port || !p->serial_divisor)
		return;
	outb(port + UART_IER, 0);
	outb(port + UART_LCR, UART_LCR_8N1 | UART_LCR_DLAB);
	outb(port + UART_DIVISOR, p->serial_divisor & 0xff);
	outb(port + UART_DIVISOR + 1, p->serial_divisor >> 8);
	outb(port + UART_LCR, UART_LCR_8N1);
	outb(port + UART_FCR, 1);
	outb(port + UART_MCR, UART_MCR_ON);
}

static void put_char(const struct purgatory_params *p, char c)
{
	for (int i = 0; i < UART_PATIENCE; i++)
		if (inb(p->serial_port + UART_LSR) & UART_LSR_THRE)
			break;
	outb(p->serial_port + UART_DATA, c);
}

static void print(const struct purgatory_params *p, const char *text)
{
	if (!p->serial_port)
		return;
	for (; *text; text++) {
		if (*text == '\n')
			put_char(p, '\r');
		put_char(p, *text);
	}
}

/* ---- the work ---- */

static bool verify(const struct purgatory_params *p)
{
	uint8_t digest[SHA256_DIGEST_BYTES];
	struct sha256 sha;

	sha256_init(&sha);
	for (uint32_t i = 0; i < p->nr_regions && i < PURGATORY_REGIONS; i++)
		sha256_update(&sha, (const void *)(uintptr_t)p->regions[i].start,
			      p->regions[i].len);
	sha256_final(&sha, digest);
	return !memcmp(digest, p->digest, sizeof(digest));
}

/* The reset register of the chipset, the keyboard controller, a triple fault: whichever works. */
static __attribute__((noreturn)) void reset(void)
{
	const struct {
		uint16_t limit;
		uintptr_t base;
	} __attribute__((packed)) no_idt = { 0 };

	outb(0xcf9, 0x02);
	outb(0xcf9, 0x06);
	outb(0x64, 0xfe);
	__asm__ volatile("lidt %0; int3" : : "m"(no_idt));
	for (;;)
		__asm__ volatile("hlt");
}

void purgatory_main(struct purgatory_params *p)
{
	serial_init(p);
	if (!(p->flags & PURGATORY_NO_CHECK) && !verify(p)) {
		print(p, "purgatory: the loaded kernel was overwritten (SHA-256 differs): "
			 "resetting the machine\n");
		reset();
	}
	memcpy((void *)(uintptr_t)p->backup_to, (const void *)(uintptr_t)p->backup_from,
	       p->backup_len);
	print(p, "purgatory: starting the kernel\n");
}
