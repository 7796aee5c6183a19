// SPDX-License-Identifier: GPL-2.0-or-later
/* vmcorectl's reading of what captures leave behind. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "control/dumps/log_file.h"
#include "control/dumps/records.h"
#include "control/dumps/symbols.h"
#include "control/dumps/told.h"
#include "control/mounts.h"
#include "control/text.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "lib/util.h"
#include "tests/unit/test.h"

TEST(control_text, nothing_acts_on_a_terminal)
{
	static const char *const cases[][2] = {
		{ "plain \"text\" \\", "plain \"text\" \\" },
		{ "\x1b[2J\x07\r\n\t\x7f", "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7" },
		{ "\xc2\x9b"
		  "2J",
		  "\\xc2\\x9b2J" }, /* CSI of C1 */
		{ "a\xe2\x80\xae"
		  "b",
		  "a\\xe2\\x80\\xaeb" },		    /* right-to-left override */
		{ "\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80", /* overlong, surrogate, too large */
		  "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80" },
		{ "\xff\xfe\x80", "\\xff\\xfe\\x80" },
		{ "cut \xe2\x82", "cut \\xe2\\x82" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_free_ char *text = text_clean(cases[i][0]);

		CHECK(text);
		CHECK_STR(text, cases[i][1]);
	}
}

TEST(control_text, sizes)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ (1 << 20) - 1, "1.0 MiB" },
		{ 16632592, "15.9 MiB" },
		{ UINT64_C(3) << 39, "1.5 TiB" },
		{ UINT64_MAX, "16.0 EiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[TEXT_SIZE_SIZE];

		CHECK_STR(text_size(cases[i].bytes, buf), cases[i].text);
	}
}

#define HEAD "{ \"program\": \"vmcore-save\", \"verdict\": \"complete\""

TEST(control_record, takes_what_is_there)
{
	static const char text[] =
		HEAD ", \"reason\": null, \"written\": \"2026-11-25T00:14:11Z\", "
		     "\"target\": { \"type\": \"ext4\", \"configured\": \"LABEL=x\" }, "
		     "\"files\": { \"dump\": \"vmcore\", \"dump_bytes\": 17 }, "
		     "\"steps\": [ { \"name\": \"log\", \"outcome\": \"failed\", \"at\": 1.5, "
		     "\"seconds\": 2, \"errno\": 5, \"error\": \"a disk\" }, 7, { } ], "
		     "\"environment\": { \"mem_total_kib\": 91216 }, \"kernel_release\": \"6.1\", "
		     "\"crash_time\": 1795565644, \"panic_line\": \"\\u001b[1m\", "
		     "\"dump\": { \"level\": 31, \"pages\": { \"kept\": 22022 }, \"sha256\": "
		     "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" } }";
	struct record_step step;
	struct record r;
	const char *why;

	CHECK_EQ(record_parse(text, sizeof(text) - 1, &r, &why), 0);
	CHECK_STR(r.verdict, "complete");
	CHECK(!r.reason);
	CHECK_EQ(r.when, 1795565644);
	CHECK_EQ(r.dump_bytes, 17);
	CHECK_STR(r.target, "LABEL=x");
	CHECK_STR(r.kernel, "6.1");
	CHECK_STR(r.panic_line, "\x1b[1m");
	CHECK_EQ(r.kept, 22022);
	CHECK_EQ(r.level, 31);
	CHECK(r.sha256);
	CHECK_EQ(r.mem_total_kib, 91216);
	CHECK_EQ(r.nr_steps, 3);
	CHECK(record_step(&r, 0, &step));
	CHECK_STR(step.error, "a disk");
	CHECK_EQ(step.at_ms, 1500);
	CHECK_EQ(step.ms, 2000);
	CHECK(!record_step(&r, 1, &step));
	CHECK(!record_step(&r, 2, &step));
	record_deinit(&r);
}

TEST(control_record, refuses)
{
	static const char *const cases[] = {
		"",
		"{",
		"[]",
		"null",
		"7",
		"{ \"program\": \"vmcore-save\" }",
		"{ \"program\": \"other\", \"verdict\": \"complete\" }",
		"{ \"program\": \"vmcore-save\", \"verdict\": \"splendid\" }",
		"{ \"program\": 1, \"verdict\": [] }",
		HEAD,
		HEAD ", \"deep\": "
		     "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]] }",
	};
	struct record r;
	const char *why;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK_EQ(record_parse(cases[i], strlen(cases[i]), &r, &why), -EBADMSG);
		CHECK(*why);
	}
}

/* Of another type, out of range, too long: left out, and the rest counts. */
TEST(control_record, leaves_out_what_is_odd)
{
	static const char *const cases[] = {
		HEAD " }",
		HEAD ", \"crash_time\": -5, \"written\": \"yesterday\" }",
		HEAD ", \"crash_time\": 18446744073709551615 }",
		HEAD ", \"crash_time\": \"7\", \"dump\": { \"sha256\": \"ABC\", \"pages\": [] } }",
		HEAD ", \"written\": \"9999999999-01-01T00:00:00Z\", \"panic_line\": {} }",
		HEAD ", \"steps\": {}, \"environment\": 3, \"files\": [1], \"panic_line\": \"\" }",
		HEAD ", \"files\": { \"dump_bytes\": -3 }, \"dump\": null, \"target\": \"x\" }",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct record r;
		const char *why;

		CHECK_EQ(record_parse(cases[i], strlen(cases[i]), &r, &why), 0);
		CHECK_EQ(r.when, 0);
		CHECK_EQ(r.dump_bytes, 0);
		CHECK(!r.sha256 && !r.has_pages && !r.panic_line && !r.target);
		CHECK_EQ(r.nr_steps, 0);
		record_deinit(&r);
	}
}

TEST(control_mounts, finds_where_it_is)
{
	static const char mountinfo[] =
		"22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
		"30 22 254:2 /part/var /srv/part rw - ext4 /dev/vda2 rw\n"
		"31 22 254:2 / /srv/with\\040blank rw shared:2 master:1 - ext4 /dev/vda2 rw\n"
		"32 22 254:3 /sub /only rw - ext4 /dev/vda3 rw\n"
		"33 22 0:40 / /net rw - nfs4 server:/export/a rw,vers=4.2\n"
		"34 22 0:41 / /share rw - virtiofs crash rw\n"
		"nonsense\n"
		"35 22 254:9 / /cut rw\n"
		"36 22 254:8 / /cut - ext4\n"
		"37 22 x:y / /cut rw - ext4 /dev/vda9 rw\n";
	static const struct {
		unsigned major, minor;
		const char *source, *path, *dir;
	} cases[] = {
		{ 254, 1, NULL, "/var/crash", "/var/crash" },
		{ 254, 2, NULL, "/var/crash", "/srv/with blank/var/crash" },
		{ 254, 3, NULL, "/sub/crash", "/only/crash" },
		{ 254, 3, NULL, "/sub", "/only" },
		{ 254, 3, NULL, "/submarine", NULL },
		{ 254, 3, NULL, "/crash", NULL },
		{ 254, 8, NULL, "/x", NULL },
		{ 254, 9, NULL, "/x", NULL },
		{ 0, 0, "server:/export/a", "/x", "/net/x" },
		{ 0, 0, "server:/export", "/x", NULL },
		{ 0, 0, "crash", "/", "/share/" },
		{ 0, 0, NULL, "/x", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct mount_wanted wanted = {
			.source = cases[i].source,
			.device = makedev(cases[i].major, cases[i].minor),
			.path = cases[i].path,
		};
		_free_ char *dir = NULL;
		int err = mounts_search(mountinfo, &wanted, &dir);

		CHECK_EQ(err, cases[i].dir ? 0 : -ENOENT);
		CHECK_STR(dir ?: "", cases[i].dir ?: "");
	}
}

TEST(control_symbols, releases)
{
	static const struct {
		const char *release;
		bool is;
	} cases[] = {
		{ "6.1.0-56-cloud-amd64", true },
		{ "6.12.118+deb13-amd64", true },
		{ "5.14.0-503.el9.x86_64~rc1", true },
		{ "", false },
		{ "..", false },
		{ "../../etc", false },
		{ "-rf", false },
		{ "6.1; reboot", false },
		{ "6.1\x1b[2J", false },
		{ "01234567890123456789012345678901234567890123456789012345678901234", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(symbols_is_release(cases[i].release), cases[i].is);
}

TEST(control_log, end)
{
	static const struct {
		const char *text, *panic_line, *end;
	} cases[] = {
		{ "[1] a\n[2] BUG: x\n[3] b\n[4] Kernel panic - not syncing: y\n",
		  "Kernel panic - not syncing: y",
		  "[2] BUG: x\n[3] b\n[4] Kernel panic - not syncing: y\n" },
		{ "[1] a\n[4] Kernel panic - not syncing: y\n[5] BUG: after\n",
		  "Kernel panic - not syncing: y",
		  "[4] Kernel panic - not syncing: y\n[5] BUG: after\n" },
		{ "[1] Oops\n[2] b", NULL, "[1] Oops\n[2] b" },
		{ "[1] a\n[2] b\n", "not in it", "[1] a\n[2] b\n" },
		{ "", NULL, "" },
		{ "\n", "x", "\n" },
	};
	char lines[200 * 8] = "";

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *text = cases[i].text;

		CHECK_STR(text + log_file_end(text, strlen(text), cases[i].panic_line),
			  cases[i].end);
	}
	for (int i = 0; i < 200; i++)
		sprintf(lines + strlen(lines), "l%d\n", i);
	CHECK(after_prefix(lines + log_file_end(lines, strlen(lines), NULL), "l160\n"));
	lines[strlen(lines) - 1] = '\0';
	CHECK(after_prefix(lines + log_file_end(lines, strlen(lines), NULL), "l160\n"));
}

TEST(control_notice, remembers)
{
	struct dump list[] = { { .path = "/a/x", .ours = true },
			       { .path = "/a/odd\nname", .ours = true },
			       { .path = "/a/foreign" } };
	struct dumps dumps = {
		.list = list, .nr = ARRAY_SIZE(list), .places = { { .path = "/a" } }, .nr_places = 1
	};
	_free_ char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	CHECK(to);
	told_write(to, "/a/gone\n/away/y\n\n/ab/z", &dumps);
	fclose(to);
	CHECK_STR(text, "/a/x\n/a/oddname\n/away/y\n/ab/z\n");
	CHECK(told_knows(text, &list[0]));
	CHECK(told_knows(text, &list[1]));
	CHECK(!told_knows(text, &list[2]));
	CHECK(!told_knows("/a/xy\n/a\n", &list[0]));
	CHECK(!told_knows("", &list[0]));
}

/* A directory as words make it: NAME=CONTENT of files, "DIR" of none. */
static void make_dump(const char *place, const char *script)
{
	char command[2048];

	snprintf(command, sizeof(command), "mkdir '%s/d' && cd '%s/d' && { %s; }", place, place,
		 script);
	CHECK_EQ(system(command), 0);
}

TEST(control_dump, judges_by_what_is_there)
{
	static const struct {
		const char *script;
		int err;
		const char *verdict, *file;
	} cases[] = {
#define SAY(verdict, bytes)                                                                        \
	"echo '{ \"program\": \"vmcore-save\", \"verdict\": \"" verdict "\", "                     \
	"\"files\": { \"dump_bytes\": " bytes " } }' >vmcore-save.json; "
		{ SAY("complete", "4") "printf 1234 >vmcore", 0, "complete", "vmcore" },
		{ SAY("complete", "4") "printf 1234 >vmcore.flat", 0, "complete", "vmcore.flat" },
		{ SAY("complete", "4") "printf 123 >vmcore", 0, "damaged", "vmcore" },
		{ SAY("complete", "4") ":", 0, "damaged", "" },
		{ SAY("complete", "4") "printf 1234 >vmcore-incomplete", 0, "damaged",
		  "vmcore-incomplete" },
		{ SAY("complete", "4") "ln -s /etc/passwd vmcore", 0, "damaged", "" },
		{ SAY("complete", "4") "mkfifo vmcore", 0, "damaged", "" },
		{ SAY("incomplete", "4") "printf 12345 >vmcore-incomplete", 0, "incomplete",
		  "vmcore-incomplete" },
		{ SAY("incomplete", "4") ":", 0, "damaged", "" },
		{ SAY("log-only", "0") ": >vmcore-dmesg.txt", 0, "log-only", "" },
		{ SAY("failed", "0") ":", 0, "failed", "" },
		{ ": >vmcore", 0, "unknown", "vmcore" },
		{ ": >dump.d; : >dmesg.d", 0, "unknown", "dump.d" },
		{ "echo '{' >vmcore-save.json; : >vmcore", 0, "unknown", "vmcore" },
		{ "mkdir vmcore-save.json; : >vmcore", 0, "unknown", "vmcore" },
		{ "mkfifo vmcore-save.json; : >vmcore", 0, "unknown", "vmcore" },
		{ "ln -s /etc/passwd vmcore-save.json; : >vmcore", 0, "unknown", "vmcore" },
		{ ": >other", -ENODATA, NULL, NULL },
		{ ":", -ENODATA, NULL, NULL },
		{ "cd ..; rmdir d; ln -s / d", -ENOTDIR, NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char place[] = "/tmp/vmcore-test-XXXXXX", command[64];
		struct dump dump;
		int err;

		CHECK(mkdtemp(place));
		make_dump(place, cases[i].script);
		err = dump_read(place, "d", &dump);
		snprintf(command, sizeof(command), "rm -rf '%s'", place);
		CHECK_EQ(system(command), 0);
		CHECK_EQ(err, cases[i].err);
		if (err)
			continue;
		CHECK_STR(dump.verdict, cases[i].verdict);
		CHECK_STR(dump.file, cases[i].file);
		CHECK_EQ(*dump.problem != '\0',
			 streq(dump.verdict, "damaged") || streq(dump.verdict, "unknown"));
		dump_deinit(&dump);
	}
}
