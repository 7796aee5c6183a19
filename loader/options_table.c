// SPDX-License-Identifier: GPL-2.0-or-later
/* The options, in the order in which --help prints them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"
#include "loader/image.h"
#include "loader/options.h"

static bool parse_text(const char *text, void *member)
{
	memcpy(member, &text, sizeof(text));
	return true;
}

static bool parse_number(const char *text, void *member)
{
	unsigned long long v;
	char *end;

	/* strtoull() takes a sign. */
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (errno || *end)
		return false;
	*(uint64_t *)member = v;
	return true;
}

static bool parse_type(const char *text, void *member)
{
	return image_type_known(text) && parse_text(text, member);
}

/* The usual ports of a PC; a number is the port itself, in hexadecimal as in kexec(8). */
static bool parse_serial(const char *text, void *member)
{
	static const uint16_t ports[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
	const char *n = after_prefix(text, "ttyS");
	uint64_t v;

	if (n && *n >= '0' && *n <= '3' && !n[1])
		v = ports[*n - '0'];
	else if (!after_prefix(text, "0x") || !parse_number(text, &v) || !v || v > 0xfff8)
		return false;
	*(uint64_t *)member = v;
	return true;
}

/* What a divisor of the UART's clock gives, from 9600 on, as in kexec(8). */
static bool parse_baud(const char *text, void *member)
{
	uint64_t v;

	if (!parse_number(text, &v) || v < 9600 || v > 115200 || 115200 % v)
		return false;
	*(uint64_t *)member = v;
	return true;
}

/* kexec(8) has it for the address to jump back to; 0 says that there is none. */
static bool parse_entry(const char *text, void *member)
{
	uint64_t v;

	(void)member;
	return parse_number(text, &v) && !v;
}

#define AT(member) offsetof(struct options, member)

#define ACTION(name, letter, flag, help)                                                           \
	{                                                                                          \
		name, letter, GROUP_ACTION, NULL, flag, 0, NULL, 0, help                           \
	}
#define FLAG(name, letter, group, flag, help)                                                      \
	{                                                                                          \
		name, letter, group, NULL, flag, 0, NULL, 0, help                                  \
	}
#define CALL(name, letter, flag, help)                                                             \
	{                                                                                          \
		name, letter, GROUP_CALL, NULL, flag, OPT_CALLS, NULL, 0, help                     \
	}
#define VALUE(name, letter, group, arg, parse, member, help)                                       \
	{                                                                                          \
		name, letter, group, arg, 0, 0, parse, AT(member), help                            \
	}
#define REFUSED(name, arg, why)                                                                    \
	{                                                                                          \
		name, 0, GROUP_REFUSED, arg, 0, 0, NULL, 0, why                                    \
	}

#define NO_JUMP_BACK "a kernel that is to come back is not supported: nobody hibernates by kexec"
#define NO_MULTIBOOT "it is for multiboot kernels (Xen, hobby kernels), which are not loaded"
#define NO_XEN	     "it is for a live update of the Xen hypervisor"
#define NO_DTB	     "x86 firmware describes the machine by ACPI, which is handed on"
#define NO_VGA	     "the purgatory does not touch the screen; --serial=ttyS0 shows what it says"

const struct option_row loader_options[] = {
	ACTION("load-panic", 'p', OPT_PANIC, "load KERNEL to capture a dump after a panic"),
	ACTION("load", 'l', OPT_LOAD, "load KERNEL for a fast reboot"),
	ACTION("exec", 'e', OPT_EXEC, "reboot into the kernel that -l loaded, now"),
	ACTION("force", 'f', OPT_FORCE, "the same as -l and -e in one call"),
	ACTION("unload", 'u', OPT_UNLOAD, "unload what -l loaded; with -p, what -p loaded"),
	ACTION("status", 'S', OPT_STATUS,
	       "exit 1 if a capture kernel is loaded, 0 if not; with -l, a kernel for -e"),
	ACTION("print-ckr-size", 0, OPT_PRINT_CKR_SIZE,
	       "print how many bytes crashkernel= reserved"),

	VALUE("initrd", 0, GROUP_IMAGE, "FILE", parse_text, initrd,
	      "initial RAM disk of the new kernel"),
	VALUE("ramdisk", 0, GROUP_IMAGE, "FILE", parse_text, initrd, "the same"),
	FLAG("reuseinitrd", 0, GROUP_IMAGE, OPT_REUSE_INITRD,
	     "take the one that the running kernel started with (it needs retain_initrd)"),
	VALUE("append", 0, GROUP_IMAGE, "TEXT", parse_text, append,
	      "command line of the new kernel"),
	VALUE("command-line", 0, GROUP_IMAGE, "TEXT", parse_text, append, "the same"),
	FLAG("reuse-cmdline", 0, GROUP_IMAGE, OPT_REUSE_CMDLINE,
	     "start it with the running kernel's command line"),
	VALUE("type", 't', GROUP_IMAGE, "TYPE", parse_type, type,
	      "refuse KERNEL unless it is a bzImage, elf-x86_64, uki ..."),
	FLAG("args-linux", 0, GROUP_IMAGE, 0, "pass a vmlinux what Linux wants, as is done anyway"),

	CALL("kexec-syscall-auto", 'a', 0,
	     "kexec_file_load(2), or kexec_load(2) where that cannot do it (default)"),
	CALL("kexec-file-syscall", 's', OPT_FILE_CALL, "kexec_file_load(2) alone"),
	CALL("kexec-syscall", 'c', OPT_OLD_CALL, "kexec_load(2) alone"),
	FLAG("hotplug", 0, GROUP_CALL, OPT_HOTPLUG,
	     "let the kernel follow CPUs and memory that come and go"),
	FLAG("no-checks", 'i', GROUP_CALL, OPT_NO_CHECKS,
	     "with kexec_load(2): start without verifying what was loaded"),
	FLAG("reuse-video-type", 0, GROUP_CALL, 0,
	     "tell the new kernel about the screen that this one was told about, as is done anyway"),

	VALUE("mem-min", 0, GROUP_LOAD_CALL, "ADDRESS", parse_number, mem_min,
	      "place nothing below it"),
	VALUE("mem-max", 0, GROUP_LOAD_CALL, "ADDRESS", parse_number, mem_max,
	      "place nothing above it"),
	FLAG("noefi", 0, GROUP_LOAD_CALL, OPT_NO_EFI,
	     "do not tell the new kernel about EFI services"),
	FLAG("entry-32bit", 0, GROUP_LOAD_CALL, OPT_ENTRY_32,
	     "enter the kernel in 32-bit mode, whatever else it has"),
	VALUE("serial", 0, GROUP_LOAD_CALL, "PORT", parse_serial, serial_port,
	      "where the purgatory prints to: ttyS0, or a port as 0x3f8"),
	VALUE("serial-baud", 0, GROUP_LOAD_CALL, "BAUD", parse_baud, serial_baud,
	      "its speed: 9600 to 115200"),
	FLAG("console-serial", 0, GROUP_LOAD_CALL, OPT_CONSOLE_SERIAL,
	     "the same as --serial=ttyS0"),

	FLAG("no-sync", 'y', GROUP_EXEC, OPT_NO_SYNC, "do not sync file systems first"),
	FLAG("no-ifdown", 'x', GROUP_EXEC, OPT_NO_IFDOWN, "leave network interfaces up"),

	FLAG("debug", 'd', GROUP_OTHER, OPT_DEBUG, "say what is done"),
	ACTION("help", 'h', OPT_HELP, "print this"),
	ACTION("version", 'v', OPT_VERSION, "print the version"),
	{ "entry", 0, GROUP_OTHER, "0", 0, 0, parse_entry, 0,
	  "no kernel is jumped back to; other addresses are refused" },
	FLAG("elf64-core-headers", 0, GROUP_OTHER, 0,
	     "describe the crashed memory in 64-bit ELF, as is done where it takes that"),

	REFUSED("elf32-core-headers", NULL,
		"the ELF class follows from the memory: 32-bit where all of it fits"),
	REFUSED("pass-memmap-cmdline", NULL,
		"the memory map goes to the new kernel in its boot_params, as it wants it since "
		"2.6.27"),
	REFUSED("real-mode", NULL,
		"the 16-bit entry calls the BIOS, which is not there any more under a kernel"),
	REFUSED("reset-vga", NULL, NO_VGA),
	REFUSED("console-vga", NULL, NO_VGA),
	REFUSED("dtb", "FILE", NO_DTB),
	REFUSED("force-dtb", NULL, NO_DTB),
	REFUSED("dt-no-old-root", NULL, NO_DTB),
	REFUSED("no-cma", NULL, "the kernel places what kexec_file_load(2) loads"),
	REFUSED("load-preserve-context", NULL, NO_JUMP_BACK),
	REFUSED("load-jump-back-helper", NULL, NO_JUMP_BACK),
	REFUSED("load-live-update", NULL, NO_XEN),
	REFUSED("exec-live-update", NULL, NO_XEN),
	REFUSED("module", "TEXT", NO_MULTIBOOT),
	REFUSED("args-elf", NULL, "it is for Etherboot's ELF images, which are not loaded"),
	REFUSED("args-none", NULL, "it is for ELF programs that are no Linux"),
};

const size_t nr_loader_options = ARRAY_SIZE(loader_options);
_Static_assert(ARRAY_SIZE(loader_options) <= OPTION_ROWS_MAX, "raise OPTION_ROWS_MAX");
