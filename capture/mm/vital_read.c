// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the crashed kernel's structures, none of which need make sense. */
#include <elf.h>
#include <stdlib.h>

#include "capture/mm/vital_priv.h"
#include "lib/bytes.h"
#include "lib/util.h"

bool vital_has(const struct vital *v, const enum vital_field fields[], size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!v->fields[fields[i]].found)
			return false;
	return true;
}

uint64_t vital_offset(const struct vital *v, enum vital_field field)
{
	return v->fields[field].bit_offset / 8;
}

uint64_t vital_size(const struct vital *v, enum vital_field field)
{
	return v->fields[field].size;
}

unsigned vital_word_size(const struct vital *v)
{
	return core_arch(v->core)->elf_class == ELFCLASS64 ? 8 : 4;
}

uint64_t vital_get_word(const struct vital *v, const void *p)
{
	return vital_word_size(v) == 8 ? get_le64(p) : get_le32(p);
}

uint64_t vital_word(const struct vital *v, uint64_t vaddr)
{
	uint8_t raw[8];

	return core_read_vaddr(v->core, vaddr, raw, vital_word_size(v)) ? 0 :
									  vital_get_word(v, raw);
}

uint32_t vital_u32(const struct vital *v, uint64_t vaddr)
{
	uint8_t raw[4];

	return core_read_vaddr(v->core, vaddr, raw, sizeof(raw)) ? 0 : get_le32(raw);
}

uint64_t vital_member(const struct vital *v, uint64_t vaddr, enum vital_field field)
{
	return v->fields[field].found ? vital_word(v, vaddr + vital_offset(v, field)) : 0;
}

void vital_add(struct vital *v, uint64_t vaddr, uint64_t len, enum vital_tier tier)
{
	uint64_t page = core_page_size(v->core);

	len = MIN(len, (uint64_t)VITAL_ADD_MAX);
	while (len && vaddr && v->pages_left) {
		uint64_t paddr, mapped, n;
		bool found = !core_vaddr_to_range(v->core, vaddr, &paddr, &mapped);

		if (!found)
			mapped = page - vaddr % page;
		n = MIN(mapped, len);
		v->pages_left--;
		if (found)
			vital_set_add(&v->set, paddr, n, tier);
		vaddr += n;
		len -= n;
	}
}

void vital_list_start(struct vital_list *l, struct vital *v, uint64_t head, unsigned max)
{
	*l = (struct vital_list){ .v = v, .head = head, .at = head, .left = max };
}

bool vital_list_next(struct vital_list *l)
{
	if (!l->at || !l->left)
		return false;
	l->left--;
	l->at = vital_word(l->v, l->at);
	/* Brent: in a circle, one of the marks, ever farther apart, is met again. */
	if (!l->at || l->at == l->head || l->at == l->mark) {
		l->at = 0;
		return false;
	}
	if (l->next_mark-- == 0) {
		l->mark = l->at;
		l->mark_distance = 2 * l->mark_distance + 1;
		l->next_mark = l->mark_distance;
	}
	return true;
}
