// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "initramfs/manifest.h"
#include "lib/util.h"

size_t manifest_var_name_len(const char *s)
{
	size_t n = 0;

	if (isdigit((unsigned char)*s))
		return 0;
	while (isalnum((unsigned char)s[n]) || s[n] == '_')
		n++;
	return n;
}

int manifest_set_var(struct manifest_vars *vars, const char *name, const char *value)
{
	size_t n = manifest_var_name_len(name), i;

	if (!n || name[n])
		return -EINVAL;
	for (i = 0; i < vars->nr; i++)
		if (streq(vars->var[i].name, name))
			break;
	if (i == MANIFEST_MAX_VARS)
		return -ENOSPC;
	vars->var[i].name = name;
	vars->var[i].value = value;
	if (i == vars->nr)
		vars->nr++;
	return 0;
}

const char *manifest_var_value(struct manifest_vars *vars, const char *name, size_t len)
{
	for (size_t i = 0; i < vars->nr; i++)
		if (!strncmp(vars->var[i].name, name, len) && !vars->var[i].name[len]) {
			vars->var[i].used = true;
			return vars->var[i].value;
		}
	return NULL;
}

bool manifest_var_used(const struct manifest_vars *vars, const char *name)
{
	for (size_t i = 0; i < vars->nr; i++)
		if (streq(vars->var[i].name, name))
			return vars->var[i].used;
	return false;
}
