# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcorectl on dumps: list, show, prune, notice; and its completion."""

import hashlib
import json
import os
import re
import stat
import subprocess

import cores
import vm
from harness import Skip, expect, expect_in, test

PANIC = "Kernel panic - not syncing: sysrq triggered crash"
HOSTILE = "BUG: \x1b[2J\u009b2J\u202eevil\nsecond line"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def vmcorectl(*args, status=0, root=None):
    """Its standard output and standard error."""
    argv = [os.path.join(vm.build_dir(), "vmcorectl"), *args]
    if root:
        argv.append("--root=" + root)
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                          timeout=60)
    expect(done.returncode == status, "%s: exit status %d, not %d:\n%s%s" % (
        " ".join(argv), done.returncode, status, done.stdout, done.stderr))
    return done.stdout, done.stderr


def put(path, content=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())


def put_dump(place, name, when, verdict="complete", panic=PANIC, size=5000):
    """What a capture leaves, by its manifest's schema."""
    folder = os.path.join(place, name)
    dump = os.urandom(size)
    log = "[    1.000000] up\n[    2.000000] %s\n[    2.100000] Call Trace:\n" % panic
    file = "vmcore" if verdict == "complete" else "vmcore-incomplete"
    put(os.path.join(folder, file), dump)
    put(os.path.join(folder, "vmcore-dmesg.txt"), log)
    put(os.path.join(folder, "vmcore-save.json"), json.dumps({
        "schema": 1, "program": "vmcore-save", "version": "0.1.0", "verdict": verdict,
        "reason": None if verdict == "complete" else "no space is left",
        "written": "2026-01-01T00:00:00Z",
        "target": {"type": "ext4", "configured": "UUID=12-ab"},
        "files": {"log": "vmcore-dmesg.txt", "dump": file, "dump_bytes": size},
        "steps": [{"name": "log", "outcome": "ok", "at": 0.5, "seconds": 0.25},
                  {"name": "dump", "outcome": "failed", "at": 1.0, "seconds": 2.0,
                   "error": "no space is left"}],
        "kernel_release": "6.1.0-1-amd64", "architecture": "x86_64", "crash_time": when,
        "panic_line": panic,
        "dump": {"level": 31, "format": "kdump-compressed", "codec": "zlib",
                 "pages": {"present": 10, "kept": 4, "dropped": 6, "zero": 1, "unreadable": 0},
                 "sha256": hashlib.sha256(dump).hexdigest() if verdict == "complete" else None},
    }, indent=2))
    return folder


def fresh_root(name):
    os.makedirs(cores.out_dir(), exist_ok=True)
    root = vm.fresh_dir(cores.out_dir("control-" + name))
    for folder in ("run", "var/lib"):
        os.makedirs(os.path.join(root, folder))
    return root


@test("control/list", "control")
def list_dumps():
    root = fresh_root("list")
    crash = os.path.join(root, "var/crash")
    put(os.path.join(root, "etc/vmcore-save.conf"),
        "raw PARTLABEL=crash\next4 \"LABEL=a b'c\"\nnfs server:/x\npath /dumps\nssh a@b\n")
    put(os.path.join(root, "proc/self/mountinfo"),
        "33 22 0:40 / /net rw - nfs4 server:/x rw\n")
    old = put_dump(crash, "2026-01-01-00:00", 1767225600)
    new = put_dump(os.path.join(root, "net/dumps"), "2026-01-03-00:00", 1767398400, "incomplete",
                   HOSTILE)
    put(os.path.join(crash, "202512310000/dump.202512310000"), b"1234")
    put(os.path.join(crash, "other/file"))
    os.utime(os.path.join(crash, "202512310000"), (1767139200, 1767139200))
    os.symlink("/", os.path.join(crash, "2026-01-09-00:00"))

    told = json.loads(vmcorectl("list", "--json", root=root)[0])
    dumps = told["dumps"]
    expect([d["path"] for d in dumps] == [new, old, os.path.join(crash, "202512310000")],
           "listed were %s" % [d["path"] for d in dumps])
    expect([d["verdict"] for d in dumps] == ["incomplete", "complete", "unknown"],
           "the verdicts are %s" % [d["verdict"] for d in dumps])
    expect([d["foreign"] for d in dumps] == [False, False, True], "foreign is wrong")
    expect(dumps[0]["panic_line"] == HOSTILE and dumps[1]["dump_bytes"] == 5000, "wrong figures")
    hints = {e["target"]: e["hint"] for e in told["elsewhere"]}
    expect(hints == {
        "raw PARTLABEL=crash": "vmcore-save --fetch --list /dev/disk/by-partlabel/crash",
        "ext4 LABEL=a b'c": "mount -o ro -t ext4 'LABEL=a b'\\''c' /mnt; "
                            "vmcorectl list --dir=/mnt/dumps",
        "ssh a@b": "ssh a@b ls -l /dumps"}, "elsewhere are %s" % hints)

    text = vmcorectl("list", root=root)[0]
    expect(not CONTROL.search(text), "a panic line acts on the terminal: %r" % text)
    expect_in("\\x1b[2J", text, "the list")
    expect_in("vmcore-save --fetch --list", text, "the list")
    expect_in("No dumps.", vmcorectl("list", root=fresh_root("none"))[0], "an empty list")
    expect_in("cannot be opened", vmcorectl("list", "--dir=/nowhere", status=1)[1], "an error")


@test("control/list-by-disk", "control")
def list_by_disk():
    """A target is found by the name that it has in the configuration, and by its device."""
    root = fresh_root("disk")
    by_uuid = os.path.join(root, "dev/disk/by-uuid")
    os.makedirs(by_uuid)
    try:
        os.mknod(os.path.join(root, "dev/vdz"), stat.S_IFBLK | 0o600, os.makedev(254, 77))
    except PermissionError as e:
        raise Skip("device nodes cannot be made here") from e
    os.symlink("../../vdz", os.path.join(by_uuid, "12-ab"))
    put(os.path.join(root, "proc/self/mountinfo"),
        "33 22 254:77 / /mnt/the\\040disk rw - ext4 /dev/vdz rw\n")
    dump = put_dump(os.path.join(root, "mnt/the disk/d"), "2026-01-01-00:00", 1767225600)
    for where in ("UUID=12-ab", "/dev/vdz"):
        put(os.path.join(root, "etc/vmcore-save.conf"), "ext4 %s\npath /d\n" % where)
        told = json.loads(vmcorectl("list", "--json", root=root)[0])
        expect([d["path"] for d in told["dumps"]] == [dump], "%s: %s" % (where, told))
    put(os.path.join(root, "etc/vmcore-save.conf"), "ext4 UUID=34-cd\npath /d\n")
    told = json.loads(vmcorectl("list", "--json", root=root)[0])
    expect(not told["dumps"] and told["elsewhere"][0]["why"] == "is not there", str(told))


@test("control/show", "control")
def show_dump():
    root = fresh_root("show")
    crash = os.path.join(root, "var/crash")
    old = put_dump(crash, "2026-01-01-00:00", 1767225600)
    put_dump(crash, "2026-01-03-00:00", 1767398400, "incomplete", HOSTILE)
    put(os.path.join(root, "usr/lib/debug/boot/vmlinux-6.1.0-1-amd64"))

    text = vmcorectl("show", "--verify", old, root=root)[0]
    for want in ("complete", PANIC, "(the file has it)", "4 of 10 kept",
                 "crash %s/usr/lib/debug/boot/vmlinux-6.1.0-1-amd64 %s/vmcore" % (root, old),
                 "[    2.100000] Call Trace:", "no space is left"):
        expect_in(want, text, "show")
    expect("] up" not in text, "the log begins before the panic")
    expect_in("] up", vmcorectl("show", "--log", "2", root=root)[0], "show --log")
    for name in ("2026-01-01", "2026-01-01-00:00", "2"):
        told = json.loads(vmcorectl("show", "--json", name, root=root)[0])
        expect(told["path"] == old, "%s is %s" % (name, told["path"]))
        expect(told["steps"][1]["error"] == "no space is left", "no steps")
    expect_in("2 dumps begin so", vmcorectl("show", "2026-01", root=root, status=1)[1], "an error")
    expect_in("no such dump", vmcorectl("show", "3", root=root, status=1)[1], "an error")
    text = vmcorectl("show", root=root)[0]
    expect_in("incomplete", text, "the newest")
    expect(not CONTROL.search(text), "a panic line or a log acts on the terminal: %r" % text)
    expect_in("no digest", vmcorectl("show", "--verify", root=root, status=1)[1], "an error")

    with open(os.path.join(old, "vmcore"), "r+b") as f:
        byte = f.read(1)
        f.seek(0)
        f.write(bytes([byte[0] ^ 1]))
    expect_in("ANOTHER", vmcorectl("show", "--verify", "2", root=root, status=3)[0], "show")
    told = json.loads(vmcorectl("show", "--verify", "--json", "2", root=root, status=3)[0])
    expect(told["sha256_matches"] is False, "a changed dump passed")


@test("control/prune", "control")
def prune():
    root = fresh_root("prune")
    crash = os.path.join(root, "var/crash")
    for day in range(1, 5):
        put_dump(crash, "2026-01-0%d-00:00" % day, 1767225600 + 86400 * day, size=100 << 10)
    put_dump(crash, "2026-01-05-00:00", 1767225600 + 86400 * 5, "incomplete")
    for day in range(1, 3):
        put_dump(crash, "host-2026-01-0%d-00:00" % day, 1767225600)
    put(os.path.join(crash, "202512310000/dump.202512310000"), b"1234")

    def left():
        return [n for n in sorted(os.listdir(crash)) if n.startswith("2026")]

    expect_in("keep_dumps", vmcorectl("prune", root=root, status=2)[1], "an error")
    for value in ("--keep=0x", "--keep=-1", "--keep=2 3", "--max-size=much", "--keep="):
        vmcorectl("prune", value, root=root, status=2)
    out = vmcorectl("prune", "--keep=3", "--dry-run", root=root)[0]
    expect_in("would remove %s/2026-01-01-00:00 (" % crash, out, "prune --dry-run")
    expect(len(left()) == 5, "a dry run removed something")
    vmcorectl("prune", "--keep=3", root=root)
    expect(left() == ["2026-01-0%d-00:00" % d for d in (2, 3, 4, 5)], "left are %s" % left())
    put(os.path.join(root, "etc/vmcore-save.conf"), "keep_size 300K\n")
    told = json.loads(vmcorectl("prune", "--json", root=root)[0])
    expect([r["path"] for r in told["removed"]] == [crash + "/2026-01-02-00:00"], str(told))
    vmcorectl("prune", "--max-size=1", root=root)
    expect(left() == ["2026-01-04-00:00", "2026-01-05-00:00"], "left are %s" % left())
    expect(len(os.listdir(crash)) == 5, "somebody else's dump was removed")
    vmcorectl("prune", "--keep=1", "--dir=" + crash)
    expect(sorted(os.listdir(crash)) == ["202512310000", "2026-01-04-00:00", "2026-01-05-00:00",
                                         "host-2026-01-02-00:00"], str(os.listdir(crash)))


@test("control/notice", "control")
def notice():
    root = fresh_root("notice")
    crash = os.path.join(root, "var/crash")
    motd = os.path.join(root, "run/motd.d/vmcore-save")
    expect(vmcorectl("notice", root=root) == ("", ""), "nothing was told of")
    expect(not os.path.exists(motd), "a message of nothing")
    put_dump(crash, "2026-01-03-00:00", 1767398400, "incomplete", HOSTILE)
    err = vmcorectl("notice", root=root)[1]
    expect_in("incomplete, in %s/2026-01-03-00:00" % crash, err, "the notice")
    expect(err.count("\n") == 1 and not CONTROL.search(err), "the notice is %r" % err)
    with open(motd, encoding="utf-8") as f:
        text = f.read()
    expect_in("incomplete, in", text, "the message at login")
    expect(not CONTROL.search(text), "the message acts on the terminal")
    expect(vmcorectl("notice", root=root)[1] == "", "it was told twice")
    # an older one by its clock is new all the same
    put_dump(crash, "2025-01-01-00:00", 1735689600)
    told = json.loads(vmcorectl("notice", "--json", root=root)[0])
    expect([d["verdict"] for d in told["dumps"]] == ["complete"], str(told))
    vmcorectl("notice", "--clear", root=root)
    expect(not os.path.exists(motd), "the message is still there")
    vmcorectl("notice", "--clear", root=root)


@test("control/completion", "control")
def completion():
    script = os.path.join(vm.TOP, "control", "vmcorectl.bash")

    def complete(*words):
        out = vm.run(["bash", "-c", '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                      '_vmcorectl; printf "%s\\n" "${COMPREPLY[@]}"', script,
                      os.path.join(vm.build_dir(), "vmcorectl"), *words])
        return out.split()

    expect({"list", "show", "prune", "version"} <= set(complete("")), "commands: %s" % complete(""))
    expect(complete("ver") == ["version"], "ver: %s" % complete("ver"))
    expect(complete("prune", "--k") == ["--keep="], "--k: %s" % complete("prune", "--k"))
    expect({"--verify", "--json", "--root="} <= set(complete("show", "-")),
           "options: %s" % complete("show", "-"))
    # An option's text may speak of another one.
    expect(complete("test", "--c") == ["--console=", "--crash"], "%s" % complete("test", "--c"))
    expect(complete("--root", "/", "sh") == ["show"], "behind an option's value")
