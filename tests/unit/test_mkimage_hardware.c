// SPDX-License-Identifier: GPL-2.0-or-later
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "initramfs/hardware.h"
#include "initramfs/program.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

TEST(mkimage, description_of_a_machine)
{
	static const char text[] = "# a comment\n"
				   "driver  i6300esb ?softdog\t\r\n"
				   "\n"
				   "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00\n"
				   "?virtio:d00000002v00001AF4\n"
				   "modalias platform:mmc of:NmmcT(null)Cacme,mmc\n"
				   "firmware rtl_nic/rtl8168h-2.fw ?tigon/tg3.bin\n"
				   "options virtio-blk queue_depth=64  num_request_queues=1\n"
				   "options virtio_blk poll_queues=0";
	_free_ char *drivers = NULL, *firmware = NULL;
	struct hardware hw;

	CHECK_EQ(hardware_parse(text, strlen(text), "hw", &hw), 0);
	drivers = hardware_join(&hw.drivers);
	firmware = hardware_join(&hw.firmware);
	CHECK_STR(drivers, "i6300esb ?softdog "
			   "pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00 "
			   "?virtio:d00000002v00001AF4 platform:mmc of:NmmcT(null)Cacme,mmc");
	CHECK_STR(firmware, "rtl_nic/rtl8168h-2.fw ?tigon/tg3.bin");
	CHECK_EQ(hardware_line(&hw, "i6300esb"), 2);
	CHECK_EQ(hardware_line(&hw, "platform:mmc"), 6);
	CHECK_EQ(hardware_line(&hw, "rtl_nic/rtl8168h-2.fw"), 7);
	CHECK_EQ(hardware_line(&hw, "ext4"), 0);
	CHECK_EQ(hardware_line(NULL, "ext4"), 0);
	CHECK_STR(hardware_options(&hw, "virtio_blk", 0), "queue_depth=64 num_request_queues=1");
	CHECK_STR(hardware_options(&hw, "virtio_blk", 1), "poll_queues=0");
	CHECK(!hardware_options(&hw, "virtio_blk", 2));
	CHECK(!hardware_options(&hw, "virtio", 0));
	CHECK(!hardware_options(&hw, "virtio_blk2", 0));
	CHECK(!hardware_options(NULL, "virtio_blk", 0));
	hardware_deinit(&hw);
}

TEST(mkimage, mistakes_in_a_description)
{
	static const char *const bad[] = {
		"virtio_blk",
		"driver",
		"driver ",
		"driver ?",
		"drivers virtio_blk",
		"firmware /lib/firmware/x",
		"firmware ../x",
		"firmware a/../../x",
		"firmware a/",
		"firmware a//b",
		"firmware ?",
		"options virtio_blk",
		"options virtio_blk x=\"a b\"",
	};
	static char long_line[2000], many[300 * 10];
	struct hardware hw;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int err = hardware_parse(bad[i], strlen(bad[i]), "hw", &hw);

		hardware_deinit(&hw);
		if (err != -EBADMSG) {
			test_fail(__FILE__, __LINE__, "\"%s\": %d", bad[i], err);
			return;
		}
	}
	memset(long_line, 'x', sizeof(long_line));
	CHECK_EQ(hardware_parse(long_line, sizeof(long_line), "hw", &hw), -EBADMSG);
	CHECK_EQ(hardware_parse("driver a\0b", 10, "hw", &hw), -EBADMSG);
	for (size_t i = 0; i < 300; i++)
		memcpy(many + i * 10, "driver ab\n", 10);
	CHECK_EQ(hardware_parse(many, sizeof(many), "hw", &hw), -EBADMSG);
	hardware_deinit(&hw);
}

static const char *interpreter(const void *data, size_t len)
{
	static char path[PROGRAM_PATH_MAX];

	program_interpreter(data, len, path);
	return path;
}

TEST(mkimage, what_starts_a_program)
{
	static const char *const scripts[][2] = {
		{ "#!/bin/sh\n", "/bin/sh" },
		{ "#! /bin/bash -e\nx", "/bin/bash" },
		{ "#!/usr/bin/env", "/usr/bin/env" },
		{ "#!", "" },
		{ "#!\n/bin/sh", "" },
		{ "#!sh\n", "" },
		{ "#/bin/sh", "" },
		{ "", "" },
	};
	struct {
		Elf64_Ehdr ehdr;
		Elf64_Phdr phdr[2];
		char path[20];
	} p = { .path = "/lib64/ld.so" };
	char script[300] = "#!/";

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++)
		CHECK_STR(interpreter(scripts[i][0], strlen(scripts[i][0])), scripts[i][1]);
	memset(script + 3, 'x', sizeof(script) - 3);
	CHECK_STR(interpreter(script, sizeof(script)), "");
	memcpy(p.ehdr.e_ident, ELFMAG, SELFMAG);
	p.ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	p.ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	p.ehdr.e_machine = EM_AARCH64;
	p.ehdr.e_phoff = sizeof(p.ehdr);
	p.ehdr.e_phentsize = sizeof(p.phdr[0]);
	p.ehdr.e_phnum = 2;
	p.phdr[0].p_type = PT_LOAD;
	CHECK_STR(interpreter(&p, sizeof(p)), "");
	p.phdr[1] = (Elf64_Phdr){ .p_type = PT_INTERP,
				  .p_offset = sizeof(p.ehdr) + sizeof(p.phdr),
				  .p_filesz = 13 };
	CHECK_STR(interpreter(&p, sizeof(p)), "/lib64/ld.so");
	CHECK_EQ(program_machine(&p, sizeof(p)), EM_AARCH64);
	for (size_t len = 0; len < sizeof(p) - sizeof(p.path); len++)
		CHECK_STR(interpreter(&p, len), "");
	p.phdr[1].p_filesz = UINT64_MAX;
	CHECK_STR(interpreter(&p, sizeof(p)), "");
	p.ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
	p.ehdr.e_machine = 0x1600;
	CHECK_EQ(program_machine(&p, sizeof(p)), EM_S390);
	CHECK_EQ(program_machine("text", 4), EM_NONE);
}

TEST(mkimage, which_kernel_starts_which_program)
{
	CHECK(program_runs_on(EM_X86_64, EM_X86_64));
	CHECK(program_runs_on(EM_386, EM_X86_64));
	CHECK(program_runs_on(EM_ARM, EM_AARCH64));
	CHECK(!program_runs_on(EM_X86_64, EM_386));
	CHECK(!program_runs_on(EM_X86_64, EM_AARCH64));
	CHECK_STR(program_machine_name(EM_AARCH64), "aarch64");
	CHECK(!program_machine_name(EM_NONE));
}
