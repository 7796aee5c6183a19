// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdlib.h>
#include <string.h>

#include "capture/target/dm.h"
#include "capture/target/stack.h"
#include "lib/cleanup.h"
#include "lib/util.h"
#include "tests/unit/test.h"

#define PV "UUID=Xk2l9b-aaaa-bbbb-cccc-dddd-eeee-ffffff"

TEST(stack, text_is_taken_whole)
{
	static const char text[] = "# from the bottom\n"
				   "md md127 5f1a-1 raid1 1.2 2\n"
				   "link md/data\n"
				   "\n"
				   "dm vg-root LVM-abc\n"
				   "table 0 100 linear md127 2048\n"
				   "table 100 64 striped 2 128 " PV " 4096 md127 8192\n"
				   "link vg/root";
	_free_ struct stack *stack = NULL;
	const struct stack_row *row;
	unsigned line;

	CHECK_EQ(stack_parse(text, strlen(text), &stack, &line), 0);
	CHECK_EQ(stack->nr_layers, 2);
	CHECK_EQ(stack->layers[0].kind, STACK_MD);
	CHECK_STR(stack->layers[0].link, "md/data");
	CHECK_EQ(stack->layers[0].major, 1);
	CHECK_EQ(stack->layers[0].minor, 2);
	CHECK_EQ(stack->layers[0].members, 2);
	CHECK_STR(stack->layers[1].name, "vg-root");
	CHECK_STR(stack->layers[1].uuid, "LVM-abc");
	CHECK_EQ(stack->layers[1].nr_rows, 2);
	CHECK_EQ(stack->nr_devices, 2); /* each once */
	row = &stack->rows[stack->layers[1].first_row];
	CHECK_EQ(row[0].chunk, 0);
	CHECK_EQ(row[0].nr_legs, 1);
	CHECK_STR(stack->devices[stack->legs[row[0].first_leg].device], "md127");
	CHECK_EQ(row[1].start, 100);
	CHECK_EQ(row[1].sectors, 64);
	CHECK_EQ(row[1].chunk, 128);
	CHECK_STR(stack->devices[stack->legs[row[1].first_leg].device], PV);
	CHECK_EQ(stack->legs[row[1].first_leg + 1].offset, 8192);
}

TEST(stack, a_logical_volume_needs_no_table)
{
	static const char text[] = "dm vg-root LVM-abc\nlink vg/root\ndm vg-dump LVM-abd\n";
	_free_ struct stack *stack = NULL;
	unsigned line;

	CHECK_EQ(stack_parse(text, strlen(text), &stack, &line), 0);
	CHECK_EQ(stack->nr_layers, 2);
	CHECK(stack_is_lvm(&stack->layers[0]) && stack_is_lvm(&stack->layers[1]));
	CHECK_EQ(stack->layers[1].nr_rows, 0);
}

TEST(stack, a_wrong_line_spoils_it_all)
{
	static const struct {
		const char *text;
		unsigned line;
	} cases[] = {
		{ "lv a b\n", 1 },
		{ "dm a\n", 1 },
		{ "dm ../a b\ntable 0 1 linear " PV " 0\n", 1 },
		{ "dm control b\n", 1 },
		{ "dm a b c\n", 1 },
		{ "dm a b\n", 1 }, /* no table */
		{ "table 0 1 linear " PV " 0\n", 1 },
		{ "dm a b\ntable 1 1 linear " PV " 0\n", 2 }, /* a hole */
		{ "dm a b\ntable 0 0 linear " PV " 0\n", 2 },
		{ "dm a b\ntable 0 9 linear " PV " 0\ntable 8 1 linear " PV " 0\n", 3 },
		{ "dm a b\ntable 0 99999999999999999999 linear " PV " 0\n", 2 },
		{ "dm a b\ntable 0 1 linear " PV " -1\n", 2 },
		{ "dm a b\ntable 0 1 linear " PV "\n", 2 },
		{ "dm a b\ntable 0 1 linear " PV " 0 x\n", 2 },
		{ "dm a b\ntable 0 1 linear 8:0 0\n", 2 }, /* says nothing after a reboot */
		{ "dm a b\ntable 0 1 linear LABEL=x 0\n", 2 },
		{ "dm a b\ntable 0 1 linear a 0\n", 2 }, /* on itself */
		{ "dm a b\ntable 0 1 crypt aes - 0 " PV " 0\n", 2 },
		{ "dm a b\ntable 0 1 striped 0 8\n", 2 },
		{ "dm a b\ntable 0 1 striped 2 8 " PV " 0\n", 2 },
		{ "dm a b\ntable 0 1 striped 1 0 " PV " 0\n", 2 },
		{ "dm a b\ntable 0 1 linear " PV " 0\ndm a c\n", 3 },
		{ "dm a b\ntable 0 1 linear " PV " 0\nlink ../x\n", 3 },
		{ "dm a b\ntable 0 1 linear " PV " 0\nlink x/../y\n", 3 },
		{ "dm a b\ntable 0 1 linear " PV " 0\nlink /x\n", 3 },
		{ "link a/b\n", 1 },
		{ "md sda u raid1 1.2 2\n", 1 },
		{ "md md0 u raid5 1.2 3\n", 1 },
		{ "md md0 u raid1 1.3 2\n", 1 },
		{ "md md0 u raid1 1.2 0\n", 1 },
		{ "md md0 u raid1 1.2 2\ntable 0 1 linear " PV " 0\n", 2 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct stack *stack = NULL;
		unsigned line = 0, want = cases[i].line;
		int err = stack_parse(cases[i].text, strlen(cases[i].text), &stack, &line);

		if (err != -EBADMSG || line != want || stack)
			test_fail(__FILE__, __LINE__, "case %zu: %d, line %u, want line %u", i, err,
				  line, want);
		free(stack);
	}
}

TEST(stack, more_than_fits_is_refused)
{
	_free_ char *text = calloc(1, 65536);
	struct stack *stack = NULL;
	unsigned line;
	char *end = text;

	CHECK(text);
	for (unsigned i = 0; i <= STACK_MAX_LAYERS; i++)
		end += sprintf(end, "md md%u u raid1 1.2 2\n", i);
	CHECK_EQ(stack_parse(text, end - text, &stack, &line), -EBADMSG);
	CHECK_EQ(line, STACK_MAX_LAYERS + 1);
	end = text + sprintf(text, "dm a b\n");
	for (unsigned i = 0; i <= STACK_MAX_DEVICES; i++)
		end += sprintf(end, "table %u 1 linear UUID=%u 0\n", i, i);
	CHECK_EQ(stack_parse(text, end - text, &stack, &line), -EBADMSG);
	CHECK_EQ(line, STACK_MAX_DEVICES + 2);
	CHECK(!stack);
}

TEST(stack, rows_are_laid_out_as_the_kernel_reads_them)
{
	_free_ char *data = malloc(DM_TABLE_MAX_BYTES), *big = calloc(1, DM_TABLE_MAX_BYTES);
	struct dm_table table = { .data = data };
	struct dm_target_spec spec;

	CHECK(data && big);
	CHECK_EQ(dm_table_add(&table, 0, 8, "linear", "254:0 2048"), 0);
	CHECK_EQ(table.len % 8, 0);
	memcpy(&spec, data, sizeof(spec));
	CHECK_EQ(spec.next, table.len); /* the second row begins there */
	CHECK_STR(data + sizeof(spec), "254:0 2048");
	CHECK_EQ(dm_table_add(&table, 8, 16, "striped", "2 128 8:0 0 8:16 0"), 0);
	memcpy(&spec, data + spec.next, sizeof(spec));
	CHECK_EQ(spec.sector_start, 8);
	CHECK_EQ(spec.length, 16);
	CHECK_STR(spec.target_type, "striped");
	CHECK_EQ(table.nr_rows, 2);
	memset(big, 'x', DM_TABLE_MAX_BYTES - 1);
	CHECK_EQ(dm_table_add(&table, 24, 1, "linear", big), -E2BIG);
	CHECK_EQ(table.nr_rows, 2);
}
