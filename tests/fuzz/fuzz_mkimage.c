// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a file that goes into an image: a module, a program, a machine's description. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "initramfs/hardware.h"
#include "initramfs/path.h"
#include "initramfs/program.h"
#include "initramfs/sections.h"
#include "initramfs/strip.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is stripped once has nothing more to lose, and can still be read. */
static void check_module(uint8_t *copy, size_t size)
{
	size_t len = strip_module(copy, size);
	const char *value = NULL;
	struct sections s;

	if (len > size || strip_module(copy, len) != len)
		abort();
	if (sections_read(copy, len, &s)) {
		if (len < size)
			abort();
		return;
	}
	while ((value = modinfo_next(&s, "firmware=", value)))
		path_is_clean(value);
	sections_deinit(&s);
}

static void check_hardware(const uint8_t *data, size_t size)
{
	struct hardware hw;

	if (!hardware_parse((const char *)data, size, "fuzz", &hw))
		for (size_t i = 0; i < hw.firmware.nr; i++) {
			const char *name = hw.firmware.word[i].text;

			if (*name == '/' || strstr(name, "/../"))
				abort();
		}
	hardware_deinit(&hw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[PROGRAM_PATH_MAX];
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return 0;
	log_set_level(LOG_LVL_NONE);
	memcpy(copy, data, size);
	program_interpreter(copy, size, path);
	program_machine(copy, size);
	check_module(copy, size);
	memcpy(copy, data, size);
	if (strip_program(copy, size) > size)
		abort();
	check_hardware(data, size);
	free(copy);
	return 0;
}
