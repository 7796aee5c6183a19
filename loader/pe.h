/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PE/COFF files, which EFI programs are: bzImages and unified kernel images among them.
 * Source: the PE format's specification (Microsoft) and the UAPI group's specification of
 * unified kernel images.
 */
#ifndef LOADER_PE_H
#define LOADER_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct pe - A file of which at least the first bytes are there; @p is borrowed. */
struct pe {
	const uint8_t *p;
	size_t len;
	uint64_t header; /* where "PE\0\0" stands */
	uint64_t sections;
	unsigned nr_sections;
};

/** pe_open() - Return: whether it is one, with its fixed header within @len bytes. */
bool pe_open(const void *p, size_t len, struct pe *pe_ret);

/** pe_has_signature() - Whether a signature for Secure Boot is attached; not whether it holds. */
bool pe_has_signature(const struct pe *pe);

/**
 * pe_find_section() - A section of a unified kernel image by name, such as ".linux".
 *
 * Of an image with several profiles it is the first profile's, which goes before what all
 * profiles have in common, as systemd-stub(7) has it for "@0".
 *
 * @offset_ret: in the file; may lie beyond the bytes there are
 * Return: whether there is one.
 */
bool pe_find_section(const struct pe *pe, const char *name, uint64_t *offset_ret,
		     uint64_t *len_ret);

#endif
