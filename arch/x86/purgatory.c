// SPDX-License-Identifier: GPL-2.0-or-later
#include "arch/x86/purgatory.h"

#include <errno.h>

#include "lib/bytes.h"

/* Only here does it matter what the program is built for: only there it is built. */
#if defined(__x86_64__) || defined(__i386__)
#define BLOB(bits)                                                                                 \
	__asm__(".pushsection .rodata.purgatory" #bits ",\"a\",@progbits\n"                        \
		".balign 16\n"                                                                     \
		"purgatory" #bits "_start:\n"                                                      \
		".incbin \"" PURGATORY_DIR "/purgatory" #bits ".bin\"\n"                           \
		"purgatory" #bits "_stop:\n"                                                       \
		".popsection\n");                                                                  \
	extern const uint8_t purgatory##bits##_start[], purgatory##bits##_stop[]

BLOB(64);
BLOB(32);

struct purgatory_blob purgatory_find(unsigned bits)
{
	if (bits == 64)
		return (struct purgatory_blob){ purgatory64_start,
						purgatory64_stop - purgatory64_start };
	return (struct purgatory_blob){ purgatory32_start, purgatory32_stop - purgatory32_start };
}
#else
struct purgatory_blob purgatory_find(unsigned bits)
{
	(void)bits;
	return (struct purgatory_blob){ NULL, 0 };
}
#endif

/* The code needs little; a size that is none would only waste the reservation. */
#define MEMORY_MAX 65536

#define AT(member) offsetof(struct purgatory_params, member)

int purgatory_memory_size(struct purgatory_blob blob, size_t *size_ret, uint32_t *entry_ret)
{
	uint32_t size, entry;

	if (!blob.len)
		return -EOPNOTSUPP;
	if (blob.len < sizeof(struct purgatory_params) ||
	    get_le32(blob.data + AT(magic)) != PURGATORY_MAGIC)
		return -EBADMSG;
	size = get_le32(blob.data + AT(memory_size));
	entry = get_le32(blob.data + AT(entry));
	if (size < blob.len || size > MEMORY_MAX || entry < sizeof(struct purgatory_params) ||
	    entry >= blob.len)
		return -EBADMSG;
	*size_ret = size;
	*entry_ret = entry;
	return 0;
}

void purgatory_fill(uint8_t *data, const struct purgatory_params *params)
{
	put_le32(data + AT(flags), params->flags);
	put_le64(data + AT(kernel), params->kernel);
	put_le64(data + AT(boot_params), params->boot_params);
	put_le64(data + AT(backup_from), params->backup_from);
	put_le64(data + AT(backup_to), params->backup_to);
	put_le64(data + AT(backup_len), params->backup_len);
	put_le16(data + AT(serial_port), params->serial_port);
	put_le16(data + AT(serial_divisor), params->serial_divisor);
	put_le32(data + AT(nr_regions), params->nr_regions);
	memcpy(data + AT(digest), params->digest, sizeof(params->digest));
	for (size_t i = 0; i < PURGATORY_REGIONS; i++) {
		put_le64(data + AT(regions[i].start), params->regions[i].start);
		put_le64(data + AT(regions[i].len), params->regions[i].len);
	}
}
