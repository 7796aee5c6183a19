// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture/dump/elf_table.h"

#include <errno.h>
#include <string.h>

#include "lib/log.h"
#include "lib/util.h"

#define SPLIT_PAGES   256u /* makedumpfile: PFN_EXCLUDED */
#define SPARE_SPLITS  512u
#define ALIGN	      4096u
#define PHDRS_AT_ONCE 32u

static const struct core_segment *segment_of(const struct core *core, uint64_t paddr)
{
	size_t nr, lo = 0, hi;
	const struct core_segment *segs = core_segments(core, &nr);

	hi = nr;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (segs[mid].paddr + segs[mid].memsz <= paddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < nr && segs[lo].paddr <= paddr ? &segs[lo] : NULL;
}

static void find_aliases(struct elf_table *t)
{
	size_t nr;
	const struct core_segment *loads = core_loads(t->job->core, &nr);

	for (size_t i = 0; i < nr && t->nr_aliases < ELF_ALIASES_MAX; i++) {
		const struct core_segment *l = &loads[i], *s = segment_of(t->job->core, l->paddr);

		if (l->memsz && l->vaddr != UINT64_MAX && s &&
		    l->vaddr - l->paddr != s->vaddr - s->paddr)
			t->alias[t->nr_aliases++] = *l;
	}
}

/* The most PT_LOADs there can be where @split pages in a row split one. */
static uint64_t count_bound(const struct elf_table *t, uint64_t nr_segments, uint64_t split)
{
	uint64_t nr = 1 + nr_segments + t->job->present_pages / split + SPARE_SPLITS;

	for (unsigned i = 0; i < t->nr_aliases; i++)
		nr += 2 + t->alias[i].memsz / t->job->page_size / split + SPARE_SPLITS;
	return nr;
}

/* Lay out the front, and see whether what follows stays below 4 GiB. */
static bool lay_out(struct elf_table *t, size_t notes_len)
{
	const struct core *core = t->job->core;
	uint64_t most;

	t->notes = elf_core_ehdr_bytes(&t->elf) + t->capacity * elf_core_phdr_bytes(&t->elf);
	t->data = ROUND_UP(t->notes + notes_len, ALIGN);
	return !__builtin_mul_overflow(t->job->present_pages, t->job->page_size, &most) &&
	       !__builtin_add_overflow(most, t->data, &most) && most <= UINT32_MAX &&
	       core_end_paddr(core) <= UINT32_MAX;
}

int elf_table_init(struct elf_table *t, const struct dump_job *job, struct writer *writer,
		   uint64_t *split_pages_ret)
{
	uint64_t split = SPLIT_PAGES;
	size_t nr_segments, notes_len = 0;

	*t = (struct elf_table){ .job = job, .writer = writer };
	core_segments(job->core, &nr_segments);
	core_notes(job->core, &notes_len);
	find_aliases(t);
	if (count_bound(t, nr_segments, UINT64_MAX) > ELF_PHNUM_MAX) {
		log_error("the core has %zu ranges of memory, too many for an ELF dump",
			  nr_segments);
		return -EINVAL;
	}
	while (count_bound(t, nr_segments, split) > ELF_PHNUM_MAX)
		split *= 2;
	t->capacity = count_bound(t, nr_segments, split);
	t->nr = 1;
	t->spare = SPARE_SPLITS;
	t->elf.class = core_arch(job->core)->elf_class;
	t->elf.machine = core_arch(job->core)->elf_machine;
	if (!lay_out(t, notes_len) && t->elf.class == ELFCLASS32) {
		t->elf.class = ELFCLASS64;
		lay_out(t, notes_len);
	}
	*split_pages_ret = split;
	return 0;
}

static int write_ehdr(struct elf_table *t, uint32_t phnum, uint32_t flags)
{
	uint8_t ehdr[ELF_CORE_EHDR_MAX];

	elf_core_put_ehdr(&t->elf, (uint16_t)phnum, flags, ehdr);
	return writer_put(t->writer, 0, ehdr, elf_core_ehdr_bytes(&t->elf));
}

static int write_phdrs(struct elf_table *t, uint32_t first, const Elf64_Phdr *phdrs, uint32_t nr)
{
	const size_t bytes = elf_core_phdr_bytes(&t->elf);
	uint64_t offset = elf_core_ehdr_bytes(&t->elf) + (uint64_t)first * bytes;
	uint8_t buf[PHDRS_AT_ONCE * ELF_CORE_PHDR_MAX];
	int err = 0;

	for (uint32_t n; nr && !err; phdrs += n, nr -= n) {
		n = MIN(nr, PHDRS_AT_ONCE);
		for (uint32_t i = 0; i < n; i++)
			elf_core_put_phdr(&t->elf, &phdrs[i], buf + i * bytes);
		err = writer_put(t->writer, offset, buf, n * bytes);
		offset += n * bytes;
	}
	return err;
}

int elf_table_begin(struct elf_table *t, const Elf64_Phdr *first)
{
	struct writer *w = t->writer;
	size_t notes_len = 0;
	const void *notes = core_notes(t->job->core, &notes_len);
	const Elf64_Phdr note = {
		.p_type = PT_NOTE,
		.p_offset = t->notes,
		.p_filesz = notes_len,
		.p_memsz = notes_len,
	};
	int err = w->sink->once ? 0 : writer_put_zeros(w, 0, t->data);

	if (!err && notes_len)
		err = writer_put(w, t->notes, notes, notes_len);
	if (!err)
		err = write_phdrs(t, 0, &note, 1);
	/* Where nothing can be written a second time, the header comes last. */
	if (!err && !w->sink->once)
		err = write_phdrs(t, 1, first, 1);
	if (!err && !w->sink->once)
		err = write_ehdr(t, 2, DUMP_ELF_INCOMPLETE);
	writer_seek(w, t->data);
	return err;
}

bool elf_table_take_spare(struct elf_table *t)
{
	if (!t->spare)
		return false;
	t->spare--;
	return true;
}

static bool make_alias(const struct core_segment *a, const Elf64_Phdr *load, Elf64_Phdr *alias_ret)
{
	uint64_t start = MAX(a->paddr, load->p_paddr);
	uint64_t end = MIN(a->paddr + a->memsz, load->p_paddr + load->p_memsz);
	uint64_t skip = start - load->p_paddr;

	if (start >= end)
		return false;
	*alias_ret = *load;
	alias_ret->p_paddr = start;
	alias_ret->p_vaddr = a->vaddr + (start - a->paddr);
	alias_ret->p_memsz = end - start;
	skip = MIN(skip, load->p_filesz);
	alias_ret->p_offset = load->p_offset + skip;
	alias_ret->p_filesz = MIN(load->p_filesz - skip, alias_ret->p_memsz);
	return true;
}

int elf_table_add(struct elf_table *t, const Elf64_Phdr *load)
{
	if (t->nr_pending + 1 + t->nr_aliases > ELF_TABLE_PENDING)
		return -EAGAIN;
	if (t->nr >= t->capacity)
		return -EOVERFLOW;
	t->pending[t->nr_pending++] = *load;
	t->nr++;
	for (unsigned i = 0; i < t->nr_aliases && t->nr < t->capacity; i++) {
		if (make_alias(&t->alias[i], load, &t->pending[t->nr_pending])) {
			t->nr_pending++;
			t->nr++;
		}
	}
	return 0;
}

/* Cut what a PT_LOAD promises to what the sink holds. */
static void clip(const struct elf_table *t, Elf64_Phdr *p)
{
	uint64_t in_sink = t->writer->start;
	uint64_t have = in_sink > p->p_offset ? in_sink - p->p_offset : 0;

	if (p->p_filesz > have)
		p->p_filesz = p->p_memsz = have;
}

int elf_table_publish(struct elf_table *t, const Elf64_Phdr *open, uint32_t flags)
{
	uint32_t first = t->nr - t->nr_pending, nr = t->nr;
	unsigned n = t->nr_pending;
	const bool once = t->writer->sink->once;
	int err;

	if (open && nr < t->capacity && !once) {
		t->pending[n++] = *open;
		nr++;
	}
	for (unsigned i = 0; i < n; i++)
		clip(t, &t->pending[i]);
	err = n ? write_phdrs(t, first, t->pending, n) : 0;
	if (!err && (!once || !flags))
		err = write_ehdr(t, nr, flags);
	if (!err)
		t->nr_pending = 0;
	return err;
}
