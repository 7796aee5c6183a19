// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks for the vmcoreinfo of a core that came without the note, as QEMU's do where the
 * guest had no vmcoreinfo device.
 *
 * The kernel keeps the text in a zeroed page of its own, vmcoreinfo_data, which starts with
 * "OSRELEASE=" (crash_save_vmcoreinfo_init() in kernel/vmcore_info.c, before 6.9 in
 * kernel/crash_core.c). Memory may hold other such pages: of a guest of the guest, of an old
 * dump in the page cache. So a text must lead, by its own page tables, to a utsname with the
 * same release before the search ends; else the first one that could be right is taken.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/log.h"
#include "lib/util.h"

#define FIRST_KEY      "OSRELEASE="
#define CHUNK_BYTES    (256u * 1024)
#define UTS_LEN	       65  /* __NEW_UTS_LEN + 1; release is utsname's third field */
#define TRIED_MAX      64u /* texts; whoever fills memory with them shall not have us stay */
#define PROC_MAX_BYTES (16ull << 30) /* in a capture kernel time is short, and the note a given */

/*
 * @guess: a text that could not be proven, at @guess_paddr; NULL for none
 * @left: bytes that may still be looked at
 */
struct search {
	struct core *core;
	uint8_t *chunk;
	char *guess;
	size_t guess_len;
	uint64_t guess_paddr, left;
	unsigned tried;
	bool proven;
};

/* Length of the text in a page; 0 where it is none. */
static size_t text_len(const uint8_t *page, size_t page_size)
{
	const uint8_t *end = memchr(page, '\0', page_size);
	size_t len = end ? (size_t)(end - page) : page_size;

	for (size_t i = 0; i < len; i++)
		if ((page[i] < ' ' && page[i] != '\n') || page[i] > '~')
			return 0;
	return len;
}

static bool could_be(const char *text, size_t len)
{
	return memmem(text, len, "\nPAGESIZE=", 10) && memmem(text, len, "\nSYMBOL(", 8);
}

/* Whether what core->vi says of init_uts_ns is true of this memory. */
static bool release_is_there(struct core *core)
{
	const char *release = vmcoreinfo_string(core->vi, "OSRELEASE");
	uint64_t addr, offset;
	char found[UTS_LEN];

	return !vmcoreinfo_symbol(core->vi, "init_uts_ns", &addr) &&
	       !vmcoreinfo_offset(core->vi, "uts_namespace.name", &offset) &&
	       !core_setup_vaddr(core) &&
	       !core_read_vaddr(core, addr + offset + 2 * UTS_LEN, found, sizeof(found)) &&
	       memchr(found, '\0', sizeof(found)) && streq(found, release);
}

/* Take the text at @paddr, and give it back where it proves nothing. */
static int try_text(struct search *s, const char *text, size_t len, uint64_t paddr)
{
	struct core *core = s->core;
	int err = vmcoreinfo_parse(text, len, &core->vi);

	if (err)
		return err == -ENOMEM ? err : 0;
	s->tried++;
	s->proven = release_is_there(core);
	vmcoreinfo_free(core->vi);
	core->vi = NULL;
	core->vaddr_ready = false;
	log_debug("%s: a vmcoreinfo at 0x%" PRIx64 ", which %s", core->name, paddr,
		  s->proven ? "is this kernel's" : "cannot be proven");
	if (!s->proven && s->guess)
		return 0;
	free(s->guess);
	s->guess = malloc(len);
	if (!s->guess)
		return -ENOMEM;
	memcpy(s->guess, text, len);
	s->guess_len = len;
	s->guess_paddr = paddr;
	return 0;
}

static int look_at(struct search *s, const uint8_t *page, uint64_t paddr)
{
	size_t len;

	if (memcmp(page, FIRST_KEY, strlen(FIRST_KEY)))
		return 0;
	len = text_len(page, s->core->page_size);
	if (!could_be((const char *)page, len))
		return 0;
	return try_text(s, (const char *)page, len, paddr);
}

static bool search_ended(const struct search *s)
{
	return s->proven || s->tried >= TRIED_MAX || !s->left;
}

/* @len bytes, all in pages that the file should hold. */
static int look_through(struct search *s, uint64_t paddr, size_t len)
{
	const size_t page_size = s->core->page_size;
	bool whole = !core_read_pages(s->core, paddr, s->chunk, len);
	int err = 0;

	for (size_t at = 0; at < len && !err && !search_ended(s); at += page_size)
		if (whole || !core_read_pages(s->core, paddr + at, s->chunk + at, page_size))
			err = look_at(s, s->chunk + at, paddr + at);
	s->left -= MIN(s->left, (uint64_t)len);
	return err;
}

/* Where from @paddr, in a segment, the file was written; the segment's end where nowhere. */
static uint64_t skip_holes(const struct core *core, uint64_t paddr)
{
	const struct core_segment *seg;
	uint64_t next, in;
	size_t i = core_search_segment(core, paddr);

	if (!core->nr_loads || i == core->nr_segments)
		return paddr;
	seg = &core->segments[i];
	in = paddr - seg->paddr;
	if (in >= seg->filesz)
		return paddr;
	next = core_file_next_data(core->file, seg->offset + in);
	if (next - seg->offset >= seg->filesz)
		return MAX(paddr, seg->paddr + seg->filesz - 1) & ~(uint64_t)(core->page_size - 1);
	return (seg->paddr + (next - seg->offset)) & ~(uint64_t)(core->page_size - 1);
}

static int look_everywhere(struct search *s)
{
	struct core *core = s->core;
	const size_t page_size = core->page_size;
	uint64_t pfn = core->segments[0].paddr / page_size;
	uint64_t end = DIV_ROUND_UP(core_end_paddr(core), page_size);

	while (pfn < end && !search_ended(s)) {
		bool held;
		uint64_t nr = core_held_run(core, pfn, end - pfn, &held), n;
		int err;

		if (held) {
			uint64_t next = skip_holes(core, pfn * page_size) / page_size;

			pfn = MAX(pfn, next);
			nr = core_held_run(core, pfn, end - pfn, &held);
		}
		if (!held) {
			pfn += nr;
			continue;
		}
		n = MIN(nr, CHUNK_BYTES / page_size);
		err = look_through(s, pfn * page_size, n * page_size);
		if (err)
			return err;
		pfn += n;
	}
	return 0;
}

static int take_guess(struct search *s)
{
	struct core *core = s->core;

	if (!s->guess) {
		log_warn("%s: no vmcoreinfo in its memory either: nothing is known of the "
			 "crashed kernel",
			 core->name);
		return 0;
	}
	if (s->proven)
		log_info("%s: took the vmcoreinfo at physical address 0x%" PRIx64, core->name,
			 s->guess_paddr);
	else
		log_warn("%s: took the vmcoreinfo at physical address 0x%" PRIx64
			 ", which could not be proven to be this kernel's",
			 core->name, s->guess_paddr);
	return core_take_vmcoreinfo(core, s->guess, s->guess_len);
}

int core_search_vmcoreinfo(struct core *core)
{
	struct search s = {
		.core = core,
		.chunk = malloc(CHUNK_BYTES),
		.left = core->file->in_proc ? PROC_MAX_BYTES : UINT64_MAX,
	};
	enum log_level level = log_level();
	int err = s.chunk ? 0 : -ENOMEM;

	if (!err) {
		log_info("%s: no VMCOREINFO note: looking for it in memory", core->name);
		if (level < LOG_LVL_DEBUG) /* what a wrong text leads to is no news */
			log_set_level(LOG_LVL_NONE);
		err = look_everywhere(&s);
		log_set_level(level);
	}
	if (!err)
		err = take_guess(&s);
	free(s.guess);
	free(s.chunk);
	return err;
}
