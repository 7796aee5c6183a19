// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF notes: gABI "Note Section"; names and descriptors are padded to 4 bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/log.h"
#include "lib/util.h"

#define NOTE_HDR_BYTES 12

int core_read_note_segment(struct core *core, uint64_t offset, uint64_t len)
{
	size_t start = ROUND_UP(core->notes_len, 4);
	uint8_t *notes;
	ssize_t n;

	if (!len || offset >= core->file_size || start >= CORE_NOTES_MAX)
		return 0;
	len = MIN(len, core->file_size - offset);
	len = MIN(len, CORE_NOTES_MAX - start);
	notes = realloc(core->notes, start + len);
	if (!notes)
		return -ENOMEM;
	core->notes = notes;
	memset(notes + core->notes_len, 0, start - core->notes_len);
	n = io_pread_full(core->fd, notes + start, len, offset);
	if (n < 0) {
		log_warn("%s: cannot read the notes: %s", core->name, strerror((int)-n));
		return 0;
	}
	core->notes_len = start + (size_t)n;
	return 0;
}

static uint32_t get32(const struct core *core, const uint8_t *p)
{
	return core->big_endian ? get_be32(p) : get_le32(p);
}

bool core_next_note(const struct core *core, size_t *pos, struct core_note *note_ret)
{
	size_t left, name_len, desc_len, name_room;
	const uint8_t *hdr;

	/* Zeros between notes: the unused rest of a CPU's area. No note is without a name. */
	while (*pos <= core->notes_len && core->notes_len - *pos >= NOTE_HDR_BYTES &&
	       !get32(core, core->notes + *pos))
		*pos += 4;
	if (*pos > core->notes_len || core->notes_len - *pos < NOTE_HDR_BYTES)
		return false;
	hdr = core->notes + *pos;
	left = core->notes_len - *pos - NOTE_HDR_BYTES;
	name_len = get32(core, hdr);
	desc_len = get32(core, hdr + 4);
	name_room = ROUND_UP(name_len, 4);
	if (name_room > left || desc_len > left - name_room)
		return false;
	*note_ret = (struct core_note){
		.type = get32(core, hdr + 8),
		.name = (const char *)hdr + NOTE_HDR_BYTES,
		.name_len = name_len,
		.desc = hdr + NOTE_HDR_BYTES + name_room,
		.desc_len = desc_len,
	};
	*pos += NOTE_HDR_BYTES + name_room + MIN(ROUND_UP(desc_len, 4), left - name_room);
	return true;
}

static bool note_is(const struct core_note *note, const char *name)
{
	size_t len = strlen(name);

	return (note->name_len == len || note->name_len == len + 1) &&
	       !memcmp(note->name, name, len);
}

static void take_page_size(struct core *core)
{
	const char *value = vmcoreinfo_string(core->vi, "PAGESIZE");
	unsigned long size;

	if (!value)
		return;
	size = strtoul(value, NULL, 10);
	if (size < 4096 || size > 65536 || (size & (size - 1))) {
		log_warn("%s: vmcoreinfo says PAGESIZE=%.20s, which cannot be; taking %zu",
			 core->name, value, core->page_size);
		return;
	}
	core->page_size = size;
}

int core_find_vmcoreinfo(struct core *core)
{
	struct core_note note;
	size_t pos = 0;
	int err = -ENODATA;

	while (core_next_note(core, &pos, &note)) {
		if (!note_is(&note, "VMCOREINFO"))
			continue;
		err = vmcoreinfo_parse(note.desc, note.desc_len, &core->vi);
		break;
	}
	if (err == -ENOMEM)
		return err;
	if (err == -ENODATA)
		log_warn("%s: no VMCOREINFO note: nothing is known of the crashed kernel",
			 core->name);
	else if (err)
		log_warn("%s: the VMCOREINFO note makes no sense", core->name);
	else
		take_page_size(core);
	return 0;
}
