// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <unistd.h>

#include "capture/core/core.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define ROOT 0x10000

/*
 * A kernel's text at @paddr that leads to a utsname at 0x30000, where @release stands; by
 * page tables at ROOT, by way of which virtual 0xffffc90000000000 is the utsname's page.
 */
static void put_text(struct core_builder *b, uint64_t paddr, const char *release, bool complete)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "OSRELEASE=%s\n%sSYMBOL(init_uts_ns)=ffffc90000000000\n"
		 "OFFSET(uts_namespace.name)=8\nSYMBOL(init_top_pgt)=ffffffff81010000\n"
		 "NUMBER(phys_base)=-16777216\n",
		 release, complete ? "PAGESIZE=4096\n" : "");
	core_builder_put(b, paddr, text, strlen(text));
}

static void put_kernel(struct core_builder *b, const char *release)
{
	uint64_t next = ROOT + 0x1000;

	core_builder_init(b);
	core_builder_ram(b, 0x8000, 0x8000);
	core_builder_ram(b, ROOT, 0x30000);
	core_builder_ram(b, 0x100000, 0x200000);
	core_builder_map(b, ROOT, &next, 1, (uint64_t[]){ 0xffffc90000000000, 0x30000 });
	core_builder_put(b, 0x30000 + 8 + 2 * 65, release, strlen(release));
}

static struct core *open_quietly(struct core_builder *b)
{
	enum log_level before = log_level();
	struct core *core = NULL;
	int err;

	log_set_level(LOG_LVL_NONE);
	err = core_open_fd(core_builder_finish(b), "test", &core);
	log_set_level(before);
	return err ? NULL : core;
}

/* The release that the core is taken to be of; "" where of none. */
static const char *release_of(const struct core *core)
{
	const struct vmcoreinfo *vi = core_vmcoreinfo(core);

	return vi ? vmcoreinfo_string(vi, "OSRELEASE") : "";
}

TEST(core_search, the_text_that_proves_right_is_taken)
{
	static const struct {
		const char *release;	  /* in the utsname */
		const char *first, *then; /* texts, in the order of memory */
		const char *want;
	} cases[] = {
		{ "6.1.0", NULL, "6.1.0", "6.1.0" },
		{ "6.1.0", "5.10.0", "6.1.0", "6.1.0" }, /* of a guest, say */
		{ "6.1.0", "6.1.0", "5.10.0", "6.1.0" },
		{ "6.1.0", "5.10.0", NULL, "5.10.0" }, /* better than nothing */
		{ "6.1.0", "5.10.0", "5.4.0", "5.10.0" },
		{ "6.1.0", NULL, NULL, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct core_builder b;
		struct core *core;

		put_kernel(&b, cases[i].release);
		if (cases[i].first)
			put_text(&b, 0xa000, cases[i].first, true);
		if (cases[i].then)
			put_text(&b, 0x200000 - 0x1000, cases[i].then, true);
		core = open_quietly(&b);
		CHECK(core);
		CHECK_STR(release_of(core), cases[i].want);
		core_close(core);
	}
}

TEST(core_search, what_is_found_becomes_a_note)
{
	const struct vmcoreinfo *vi;
	struct core_builder b;
	struct core_note note;
	struct core *core;
	size_t pos = 0, len;
	const char *raw;
	char release[6];

	put_kernel(&b, "6.1.0");
	put_text(&b, 0x101000, "6.1.0", true);
	core_builder_note(&b, "QEMU", 0, "1234567", 7);
	core = open_quietly(&b);
	CHECK(core);
	CHECK_EQ(core_setup_vaddr(core), 0); /* nothing is left over from the search */
	CHECK_EQ(core_read_vaddr(core, 0xffffc90000000000 + 8 + 2 * 65, release, 6), 0);
	CHECK_STR(release, "6.1.0");
	vi = core_vmcoreinfo(core);
	raw = vmcoreinfo_raw(vi, &len);
	CHECK(core_next_note(core, &pos, &note));
	CHECK(core_next_note(core, &pos, &note));
	CHECK_EQ(note.name_len, 11);
	CHECK_STR(note.name, "VMCOREINFO");
	CHECK_EQ(note.desc_len, len);
	CHECK(!memcmp(note.desc, raw, len));
	CHECK(!core_next_note(core, &pos, &note));
	core_close(core);
}

TEST(core_search, what_is_no_vmcoreinfo_is_passed_over)
{
	struct core_builder b;
	struct core *core;

	put_kernel(&b, "6.1.0");
	put_text(&b, 0x100000 + 8, "6.1.0", true); /* not at a page's start */
	put_text(&b, 0x102000, "6.1.0", false);	   /* no PAGESIZE */
	put_text(&b, 0x104000, "6.1.0", true);
	core_builder_put(&b, 0x104020, "\xff", 1); /* not text */
	core_builder_put(&b, 0x106000, "OSRELEASE=", 10);
	core = open_quietly(&b);
	CHECK(core);
	CHECK_STR(release_of(core), "");
	core_close(core);
}

/* A note comes first, whatever is in memory. */
TEST(core_search, nothing_is_searched_where_there_is_a_note)
{
	struct core_builder b;
	struct core *core;

	put_kernel(&b, "6.1.0");
	put_text(&b, 0x100000, "6.1.0", true);
	core_builder_vmcoreinfo(&b, "OSRELEASE=4.19\n");
	core = open_quietly(&b);
	CHECK(core);
	CHECK_STR(release_of(core), "4.19");
	core_close(core);
}

/* Holes of a file cost nothing: a terabyte of them, and a text behind. */
TEST(core_search, holes_are_skipped)
{
	struct core_builder b;
	struct core *core;

	put_kernel(&b, "6.1.0");
	core_builder_ram(&b, 1ull << 40, 1ull << 40);
	put_text(&b, (2ull << 40) - 0x1000, "6.1.0", true);
	core = open_quietly(&b);
	CHECK(core);
	CHECK_STR(release_of(core), "6.1.0");
	core_close(core);
}

/* Cut off in the middle, and with pages that are described only. */
TEST(core_search, parts_that_are_missing)
{
	enum log_level before = log_level();
	struct core_builder b;
	struct core *core;
	int fd, err;

	put_kernel(&b, "6.1.0");
	put_text(&b, 0x101000, "6.1.0", true);
	core_builder_ram(&b, 1ull << 50, 0x1000);
	b.loads[3].p_memsz = 1ull << 50;
	b.loads[3].p_filesz = 1ull << 49;
	fd = core_builder_finish(&b);
	CHECK_EQ(ftruncate(fd, (off_t)b.loads[2].p_offset + 0x1800), 0);
	log_set_level(LOG_LVL_NONE);
	err = core_open_fd(fd, "test", &core);
	log_set_level(before);
	CHECK_EQ(err, 0);
	CHECK_STR(release_of(core), ""); /* half of its page */
	core_close(core);
}
