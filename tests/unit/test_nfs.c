// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "capture/target/nfs.h"
#include "lib/util.h"
#include "tests/unit/test.h"

TEST(nfs, lines)
{
	static const struct {
		const char *where, *options;
		int err;
		const char *host, *export, *rest, *version;
		unsigned port;
	} cases[] = {
		{ "srv:/dumps", "", 0, "srv", "/dumps", "", "", 2049 },
		{ "[2001:db8::1]:/a/b", "", 0, "2001:db8::1", "/a/b", "", "", 2049 },
		{ "srv:/dumps", "vers=3,port=12049,mountport=20048,hard", 0, "srv", "/dumps",
		  "port=12049,mountport=20048,hard", "3", 12049 },
		{ "srv:/dumps", "defaults,_netdev,nfsvers=4.1,proto=tcp,,x-systemd.automount,ro", 0,
		  "srv", "/dumps", "", "4.1", 2049 },
		{ "srv:/dumps", "noatime,nosuid,rsize=65536,sync", 0, "srv", "/dumps",
		  "rsize=65536", "", 2049 },
		{ "srv", "", -EINVAL, "", "", "", "", 0 },
		{ ":/dumps", "", -EINVAL, "", "", "", "", 0 },
		{ "[2001:db8::1:/a", "", -EINVAL, "", "", "", "", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nfs_where w;

		CHECK_EQ(nfs_parse_where(cases[i].where, cases[i].options, &w), cases[i].err);
		if (cases[i].err)
			continue;
		CHECK_STR(w.host, cases[i].host);
		CHECK_STR(w.export, cases[i].export);
		CHECK_STR(w.options, cases[i].rest);
		CHECK_STR(w.version, cases[i].version);
		CHECK_EQ(w.port, cases[i].port);
	}
}
