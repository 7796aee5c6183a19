// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF notes: gABI "Note Section"; names and descriptors are padded to 4 bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/core/core_priv.h"
#include "lib/bytes.h"
#include "lib/log.h"
#include "lib/util.h"

#define NOTE_HDR_BYTES 12

/* Make room for @len bytes more, from a multiple of 4 on. */
static int grow_notes(struct core *core, size_t len, uint8_t **at_ret)
{
	size_t start = ROUND_UP(core->notes_len, 4);
	uint8_t *notes = realloc(core->notes, start + len);

	if (!notes)
		return -ENOMEM;
	core->notes = notes;
	memset(notes + core->notes_len, 0, start - core->notes_len);
	*at_ret = notes + start;
	return 0;
}

int core_read_note_segment(struct core *core, struct file_view *view, uint64_t offset, uint64_t len)
{
	const uint64_t size = core->file->size;
	uint8_t *at;
	int err;

	if (!len || offset >= size || ROUND_UP(core->notes_len, 4) >= CORE_NOTES_MAX)
		return 0;
	len = MIN(len, size - offset);
	len = MIN(len, CORE_NOTES_MAX - ROUND_UP(core->notes_len, 4));
	err = grow_notes(core, len, &at);
	if (err)
		return err;
	err = file_view_read_padded(view, offset, at, len);
	if (err)
		log_warn("%s: cannot read the notes: %s", core->name, strerror(-err));
	else
		core->notes_len = (size_t)(at - core->notes) + len;
	return 0;
}

static uint32_t get32(const struct core *core, const uint8_t *p)
{
	return core->big_endian ? get_be32(p) : get_le32(p);
}

bool core_next_note(const struct core *core, size_t *pos, struct core_note *note_ret)
{
	size_t left, name_len, desc_len;
	const uint8_t *hdr;
	uint64_t name_room; /* of 4 GiB too, on a 32-bit host */

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
	name_room = ROUND_UP((uint64_t)name_len, 4);
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
	if (core->page_size_given ?
		    size != core->page_size :
		    size < CORE_PAGE_MIN || size > CORE_PAGE_MAX || (size & (size - 1))) {
		log_warn("%s: vmcoreinfo says PAGESIZE=%.20s, which cannot be; taking %zu",
			 core->name, value, core->page_size);
		return;
	}
	core->page_size = size;
}

/* Append a note as the kernel writes them. */
static int append_vmcoreinfo_note(struct core *core, const void *text, size_t len)
{
	static const char name[12] = "VMCOREINFO";
	size_t room = NOTE_HDR_BYTES + sizeof(name) + ROUND_UP(len, 4);
	void (*put32)(void *p, uint32_t v) = core->big_endian ? put_be32 : put_le32;
	uint8_t *at;
	int err = grow_notes(core, room, &at);

	if (err)
		return err;
	memset(at, 0, room);
	put32(at, sizeof("VMCOREINFO"));
	put32(at + 4, (uint32_t)len);
	memcpy(at + NOTE_HDR_BYTES, name, sizeof(name));
	memcpy(at + NOTE_HDR_BYTES + sizeof(name), text, len);
	core->notes_len = (size_t)(at - core->notes) + room;
	return 0;
}

int core_take_vmcoreinfo(struct core *core, const void *text, size_t len)
{
	int err = vmcoreinfo_parse(text, len, &core->vi);

	if (err)
		return err;
	take_page_size(core);
	return append_vmcoreinfo_note(core, text, len);
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
	if (err == -EBADMSG)
		log_warn("%s: the VMCOREINFO note makes no sense", core->name);
	if (!err)
		take_page_size(core);
	return err;
}
