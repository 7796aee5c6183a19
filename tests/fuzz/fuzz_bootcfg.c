// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a boot loader's file, and as what is remembered of them. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/boot/bootcfg_private.h"
#include "lib/cleanup.h"
#include "lib/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const options[] = { "options", NULL }, *const append[] = { "append", NULL };
static const char *const grub[] = { "GRUB_CMDLINE_LINUX_DEFAULT", "GRUB_CMDLINE_LINUX", NULL };
static const char *const args[] = { "args", NULL }, *const kernelopts[] = { "kernelopts", NULL };

static const struct {
	const struct bootcfg_form *form;
	const char *const *names;
} forms[] = {
	{ &bootcfg_form_line, NULL },	 { &bootcfg_form_key, options },
	{ &bootcfg_form_label, append }, { &bootcfg_form_shell, grub },
	{ &bootcfg_form_args, args },	 { &bootcfg_form_grubenv, kernelopts },
	{ &bootcfg_form_grubcfg, NULL },
};

/* What is set is there then, alone, and a second time changes nothing; what is taken out is gone,
 * and the text as before but for what it had. */
static void check_edit(unsigned i, const char *text, size_t len, const char *value)
{
	char is[BOOTCFG_VALUE_SIZE], was[BOOTCFG_VALUE_SIZE];
	_free_ char *out = NULL, *again = NULL;
	size_t out_len, again_len, spans;
	bool mixed, was_mixed;

	if (bootcfg_text_edit(forms[i].form, forms[i].names, text, len, value, true, &out,
			      &out_len))
		return;
	if (bootcfg_text_get(forms[i].form, forms[i].names, text, len, was, &was_mixed, &spans))
		abort();
	if (forms[i].form->block && out_len != forms[i].form->block)
		abort();
	if (bootcfg_text_get(forms[i].form, forms[i].names, out, out_len, is, &mixed, NULL) ||
	    mixed || (!streq(is, value) && spans) || (!spans && *value && !streq(is, value)))
		abort();
	if (bootcfg_text_edit(forms[i].form, forms[i].names, out, out_len, value, true, &again,
			      &again_len) ||
	    again_len != out_len || memcmp(again, out, out_len))
		abort();
	free(take_ptr(again));
	if (*was || was_mixed || !spans ||
	    bootcfg_text_edit(forms[i].form, forms[i].names, out, out_len, "", true, &again,
			      &again_len))
		return;
	if (forms[i].form->find == bootcfg_form_shell.find)
		return; /* quotes that were put around a word stay */
	if (again_len != len || memcmp(again, text, len))
		abort();
}

/* What is read is written so that it is read again. */
static void check_memory(const char *text, size_t len)
{
	struct bootcfg_memory memory, again;
	_free_ char *out = NULL;
	size_t out_len;

	if (!bootcfg_memory_parse(text, len, &memory)) {
		if (bootcfg_memory_print(&memory, &out, &out_len) ||
		    bootcfg_memory_parse(out, out_len, &again))
			abort();
		if (memory.nr != again.nr || !streq(memory.was, again.was) ||
		    !streq(memory.set, again.set))
			abort();
		bootcfg_memory_deinit(&again);
	}
	bootcfg_memory_deinit(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_free_ char *text = malloc(size + 1);
	char value[BOOTCFG_VALUE_SIZE];

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(forms); i++) {
		check_edit(i, text, size, "192M");
		check_edit(i, text, size, "1G,high 128M,low");
		check_edit(i, text, size, "");
	}
	bootcfg_value_in(text, value);
	if (strlen(value) >= sizeof(value))
		abort();
	bootcfg_grubcfg_resets(text);
	bootcfg_shell_is(text, size, "A", "true");
	check_memory(text, size);
	return 0;
}
