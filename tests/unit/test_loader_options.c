// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/util.h"
#include "loader/image.h"
#include "loader/loader.h"
#include "tests/unit/test.h"

#define ARGS_MAX 16

/* Parse a line of words; "~" stands for a space within a word. */
static int parse(const char *line, char *text, struct options *o, char *why, size_t why_size)
{
	char *argv[ARGS_MAX + 2] = { "kexec-loader" };
	int argc = 1;

	strcpy(text, line);
	for (char *w = strtok(text, " "); w && argc <= ARGS_MAX; w = strtok(NULL, " ")) {
		for (char *c = w; *c; c++)
			if (*c == '~')
				*c = ' ';
		argv[argc++] = w;
	}
	return options_parse(argc, argv, o, why, why_size);
}

TEST(loader, options_are_parsed_as_kexec_does)
{
	static const struct {
		const char *line;
		unsigned flags;
		const char *kernel, *initrd, *append;
	} t[] = {
		{ "", 0, NULL, NULL, NULL },
		{ "-pS", OPT_PANIC | OPT_STATUS, NULL, NULL, NULL },
		{ "-lds k", OPT_LOAD | OPT_DEBUG | OPT_FILE_CALL, "k", NULL, NULL },
		{ "-p k --initrd=i --append=a~b", OPT_PANIC, "k", "i", "a b" },
		{ "--load-panic --ramdisk i --command-line x k", OPT_PANIC, "k", "i", "x" },
		{ "k -l --append=a --append=b", OPT_LOAD, "k", NULL, "b" },
		{ "--load --append= -- -k", OPT_LOAD, "-k", NULL, "" },
		{ "-p --reuse-cmdline k", OPT_PANIC | OPT_REUSE_CMDLINE, "k", NULL, NULL },
		{ "-exy", OPT_EXEC | OPT_NO_IFDOWN | OPT_NO_SYNC, NULL, NULL, NULL },
		{ "-f -a k", OPT_FORCE, "k", NULL, NULL },
		{ "-f -s -c k", OPT_FORCE | OPT_OLD_CALL, "k", NULL, NULL },
		{ "-c -s -a", 0, NULL, NULL, NULL },
		/* what systemd runs for `systemctl kexec` */
		{ "--load k --append a~b --initrd i", OPT_LOAD, "k", "i", "a b" },
		/* kdumpctl of kdump-utils, kdump-config of Debian */
		{ "-s -d -p --command-line=a --initrd=i k", OPT_FILE_CALL | OPT_DEBUG | OPT_PANIC,
		  "k", "i", "a" },
		{ "-p --command-line=a --initrd=i k --noefi -c -d",
		  OPT_OLD_CALL | OPT_DEBUG | OPT_PANIC | OPT_NO_EFI, "k", "i", "a" },
		{ "-p -i --hotplug --args-linux --elf64-core-headers --entry=0 --reuse-video-type "
		  "k",
		  OPT_PANIC | OPT_NO_CHECKS | OPT_HOTPLUG, "k", NULL, NULL },
		{ "--print-ckr-size", OPT_PRINT_CKR_SIZE, NULL, NULL, NULL },
		{ "-c", OPT_OLD_CALL, NULL, NULL, NULL },
		{ "-h --version", OPT_HELP | OPT_VERSION, NULL, NULL, NULL },
		{ "--unload -p", OPT_UNLOAD | OPT_PANIC, NULL, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char text[256], why[256];
		struct options o;

		CHECK_EQ(parse(t[i].line, text, &o, why, sizeof(why)), 0);
		CHECK_EQ(o.flags, t[i].flags);
		CHECK_STR(o.kernel ? o.kernel : "-", t[i].kernel ? t[i].kernel : "-");
		CHECK_STR(o.initrd ? o.initrd : "-", t[i].initrd ? t[i].initrd : "-");
		CHECK_STR(o.append ? o.append : "-", t[i].append ? t[i].append : "-");
	}
}

TEST(loader, bad_options_are_named)
{
	static const struct {
		const char *line, *why;
	} t[] = {
		{ "-z", "there is no option -z" },
		{ "-pz k", "there is no option -z" },
		{ "--bogus", "there is no option --bogus" },
		{ "-l k --bogus=1", "there is no option --bogus=1" },
		{ "--initrd", "--initrd wants a FILE behind it" },
		{ "--load=1", "--load takes no value" },
		{ "--dtb=x -l k", "--dtb is not for this program: x86 firmware describes the "
				  "machine by ACPI, which is handed on" },
		{ "-t multiboot-x86 k",
		  "--type=multiboot-x86: only Linux kernels are loaded, not Xen's hypervisor "
		  "and the like" },
		{ "--type=none", "--type=none is no TYPE: " IMAGE_TYPE_NAMES },
		{ "--mem-min=-1", "--mem-min=-1 is no ADDRESS: place nothing below it" },
		{ "--mem-max=0x1g", "--mem-max=0x1g is no ADDRESS: place nothing above it" },
		{ "--mem-max=0x10000000000000000",
		  "--mem-max=0x10000000000000000 is no ADDRESS: place nothing above it" },
		{ "--mem-min=2 --mem-max=1",
		  "--mem-min is not below --mem-max: nothing fits between" },
		{ "--serial=ttyS4", "--serial=ttyS4 is no PORT: where the purgatory prints to: "
				    "ttyS0, or a port as 0x3f8" },
		{ "--serial-baud=9601",
		  "--serial-baud=9601 is no BAUD: its speed: 9600 to 115200" },
		{ "--entry=1", "--entry=1 is no 0: no kernel is jumped back to; other addresses "
			       "are refused" },
		{ "-s --noefi -l k", "--noefi needs kexec_load(2), and -s asks for "
				     "kexec_file_load(2) alone: leave one of them out" },
		{ "--initrd=a --reuseinitrd -l k",
		  "--initrd and --reuseinitrd exclude each other" },
		{ "-l --hotplug k", "--hotplug is for a capture kernel: say -p with it" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char text[256], why[256] = "";
		struct options o = { .flags = 77 };

		CHECK_EQ(parse(t[i].line, text, &o, why, sizeof(why)), -EINVAL);
		CHECK_STR(why, t[i].why);
		CHECK_EQ(o.flags, 77);
	}
}

TEST(loader, options_take_numbers)
{
	static const struct {
		const char *line;
		uint64_t mem_min, mem_max, port, baud;
		const char *load_only;
	} t[] = {
		{ "", 0, UINT64_MAX, 0, 0, NULL },
		{ "--mem-min=0x1000000", 1 << 24, UINT64_MAX, 0, 0, "mem-min" },
		{ "--mem-max=4096 --mem-min 010", 8, 4096, 0, 0, "mem-min" },
		{ "--serial=ttyS1 --serial-baud=115200", 0, UINT64_MAX, 0x2f8, 115200,
		  "serial-baud" },
		{ "--serial=0x3e8", 0, UINT64_MAX, 0x3e8, 0, "serial" },
		{ "--console-serial", 0, UINT64_MAX, 0x3f8, 0, "console-serial" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char text[256], why[256];
		struct options o;

		CHECK_EQ(parse(t[i].line, text, &o, why, sizeof(why)), 0);
		CHECK_EQ(o.mem_min, t[i].mem_min);
		CHECK_EQ(o.mem_max, t[i].mem_max);
		CHECK_EQ(o.serial_port, t[i].port);
		CHECK_EQ(o.serial_baud, t[i].baud);
		CHECK_STR(o.load_only ? o.load_only : "-", t[i].load_only ? t[i].load_only : "-");
	}
}

/* A refusal says something, and no name or letter stands twice. */
TEST(loader, options_table_is_sound)
{
	for (size_t i = 0; i < nr_loader_options; i++) {
		const struct option_row *r = &loader_options[i];

		CHECK(r->help && strlen(r->help) >= 8);
		CHECK(r->group == GROUP_REFUSED || !r->arg || r->parse);
		for (size_t j = 0; j < i; j++) {
			CHECK(!streq(r->name, loader_options[j].name));
			CHECK(!r->letter || r->letter != loader_options[j].letter);
		}
	}
}

TEST(loader, options_choose_one_action)
{
	static const struct {
		const char *line;
		int (*run)(const struct options *opts);
	} t[] = {
		{ "-p k", cmd_load },	   { "-l k", cmd_load },
		{ "-l -p k", cmd_load },   { "-le k", cmd_load_exec },
		{ "-f k", cmd_load_exec }, { "-lf k", cmd_load_exec },
		{ "-e", cmd_exec },	   { "-u", cmd_unload },
		{ "-pu", cmd_unload },	   { "-u -p", cmd_unload },
		{ "-S", cmd_status },	   { "-S -p -l k --initrd=i", cmd_status },
		{ "-Se", cmd_status },	   { "-h -p", cmd_help },
		{ "-vS", cmd_version },	   { "--print-ckr-size -p", cmd_print_ckr_size },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char text[256], why[256];
		const struct action *a = NULL;
		struct options o;

		CHECK_EQ(parse(t[i].line, text, &o, why, sizeof(why)), 0);
		CHECK_EQ(action_find(&o, &a, why, sizeof(why)), 0);
		CHECK(a->run == t[i].run);
	}
}

TEST(loader, options_that_make_no_action_are_explained)
{
	static const struct {
		const char *line, *part;
	} t[] = {
		{ "", "nothing to do" },
		{ "-d k", "nothing to do" },
		{ "-p", "-p wants the kernel" },
		{ "-f", "-f wants the kernel" },
		{ "-l a b", "2 files are named" },
		{ "-p -e k", "-p and -e exclude each other" },
		{ "-p -f k", "-p and -f exclude each other" },
		{ "-u -e", "-u and -e exclude each other" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		char text[256], why[256] = "";
		const struct action *a = NULL;
		struct options o;

		CHECK_EQ(parse(t[i].line, text, &o, why, sizeof(why)), 0);
		CHECK_EQ(action_find(&o, &a, why, sizeof(why)), -EINVAL);
		CHECK(strstr(why, t[i].part));
		CHECK(!a);
	}
}

TEST(loader, command_line_is_composed)
{
	static const char running[] = "BOOT_IMAGE=/vmlinuz root=/dev/vda \"a=b c\" "
				      "crashkernel=256M quiet crashkernel=64M,low\n";
	static const struct {
		unsigned flags;
		const char *append, *want;
	} t[] = {
		{ OPT_PANIC, NULL, "" },
		{ OPT_PANIC, "x y", "x y" },
		{ OPT_PANIC | OPT_REUSE_CMDLINE, NULL, "root=/dev/vda \"a=b c\" quiet" },
		{ OPT_PANIC | OPT_REUSE_CMDLINE, "nr_cpus=1",
		  "root=/dev/vda \"a=b c\" quiet nr_cpus=1" },
		{ OPT_LOAD | OPT_REUSE_CMDLINE, "x",
		  "root=/dev/vda \"a=b c\" crashkernel=256M quiet crashkernel=64M,low x" },
		{ OPT_LOAD | OPT_REUSE_CMDLINE, "",
		  "root=/dev/vda \"a=b c\" crashkernel=256M quiet crashkernel=64M,low" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct options o = { .flags = t[i].flags, .append = t[i].append };
		char out[128];

		CHECK_EQ(command_line_compose(&o, running, NULL, out, sizeof(out)), 0);
		CHECK_STR(out, t[i].want);
	}
}

TEST(loader, command_line_of_an_image_gives_way_to_the_options)
{
	static const struct {
		unsigned flags;
		const char *append, *want;
	} t[] = {
		{ OPT_LOAD, NULL, "built in" },
		{ OPT_LOAD, "", "" },
		{ OPT_LOAD, "x", "x" },
		{ OPT_LOAD | OPT_REUSE_CMDLINE, NULL, "running" },
		{ OPT_LOAD | OPT_REUSE_CMDLINE, "x", "running x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		struct options o = { .flags = t[i].flags, .append = t[i].append };
		char out[32];

		CHECK_EQ(command_line_compose(&o, "running", "built in", out, sizeof(out)), 0);
		CHECK_STR(out, t[i].want);
	}
}

TEST(loader, command_line_that_does_not_fit_is_refused)
{
	struct options o = { .flags = OPT_REUSE_CMDLINE, .append = "abc" };
	char out[16];

	/* "running" + " " + "abc" + NUL is 12 */
	CHECK_EQ(command_line_compose(&o, "running", NULL, out, 12), 0);
	CHECK_STR(out, "running abc");
	CHECK_EQ(command_line_compose(&o, "running", NULL, out, 11), -E2BIG);
	CHECK_EQ(command_line_compose(&o, "running", NULL, out, 7), -E2BIG);
}
