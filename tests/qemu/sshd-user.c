// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For LD_PRELOAD: sshd started by root insists on a user called sshd to give its rights up to.
 * Where nobody has installed one, the user nobody does.
 */
#include <dlfcn.h>
#include <pwd.h>
#include <string.h>

struct passwd *getpwnam(const char *name)
{
	struct passwd *(*real)(const char *) =
		(struct passwd * (*)(const char *)) dlsym(RTLD_NEXT, "getpwnam");
	struct passwd *found = real(name);

	return found || strcmp(name, "sshd") ? found : real("nobody");
}
