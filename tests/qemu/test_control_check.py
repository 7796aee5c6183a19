# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcorectl check on made-up systems: each fault that it is there to find."""

import bz2
import gzip
import json
import lzma
import os
import shutil
import socket
import time

import cores
import sshd
import vm
from harness import Skip, expect, expect_in, test
from test_control import IMAGE, RELEASE, START, System, newc

NFS = "nfs 127.0.0.1:/export\nmount_options port=%d\npath /crash\n"


class Listener:
    """A server that takes connections and says nothing; a context."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(8)
        self.port = self.socket.getsockname()[1]
        return self

    def __exit__(self, *unused):
        self.socket.close()


def program(system, name, text):
    system.write("bin/" + name, "#!/bin/sh\n" + text)
    os.chmod(system.path("bin/" + name), 0o755)


def takes_builds(system):
    """dracut's stand-in has what is in "builds" for the image."""
    program(system, "vmcore-save-dracut", 'cp "$ROOT/builds" "$3"\n')


def image(system, *modules, **more):
    files = {"init": "program", "etc/vmcore-save.conf": "path /var/crash\n",
             "etc/vmcore-save/modules": "".join("/m/%s.ko.xz\n" % m for m in modules)}
    files.update(more)
    with open(system.path("builds"), "wb") as f:
        f.write(newc({k: v for k, v in files.items() if v is not None}))


def checked(system):
    """(exit status, {name: verdict}, all texts)"""
    status, text, said = system.ctl("check", "--json")
    told = json.loads(text)
    expect(not said, "it said on stderr: " + said)
    return status, {c["name"]: c["verdict"] for c in told["checks"]}, text


@test("control/check", "control")
def check():
    """A system without a fault is ready; each fault is told and makes it not ready."""
    with Listener() as server:
        check_faults(System("check", conf=NFS % server.port + "kdump_post /hooks/post\nwatchdog no\n"))


def check_faults(system):
    takes_builds(system)
    system.write("lib/modules/%s/modules.dep" % RELEASE, "kernel/e1000-x.ko:\n"
                 "kernel/nfs.ko.xz: kernel/sunrpc.ko.xz\nkernel/sunrpc.ko.xz:\n")
    system.write("hooks/post", "#!/bin/sh\n")
    os.chmod(system.path("hooks/post"), 0o755)
    card = "sys/devices/pci0/0000:00:03.0"
    system.write(card + "/net/eth0/address", "52:54:00:12:34:56\n")
    for name in ("sys/bus/pci/drivers/e1000-x", "sys/module/e1000_x", "sys/class/net"):
        os.makedirs(system.path(name))
    os.symlink("../../../../module/e1000_x", system.path("sys/bus/pci/drivers/e1000-x/module"))
    os.symlink("../../../bus/pci/drivers/e1000-x", system.path(card + "/driver"))
    os.symlink("../../devices/pci0/0000:00:03.0/net/eth0", system.path("sys/class/net/eth0"))

    image(system, "sunrpc", "nfs", "e1000-x")
    status, told, text = checked(system)
    expect(status == 3 and told["armed"] == "FAIL" and told["image"] == "FAIL", text)
    results = {c["name"]: c for c in json.loads(text)["checks"]}
    expect(results["armed"]["text"] == "nothing is armed" and
           results["armed"]["hint"] == '"vmcorectl start"', text)
    expect(json.loads(text)["verdict"] == "FAIL" and results["hook"]["hint"] is None, text)
    expect_in("nothing is armed: \"vmcorectl start\"\n", system.ctl("check")[1], "the text")
    system.does(*START)
    status, told, text = checked(system)
    expect(status == 0 and told.pop("mount") == "warn" and set(told.values()) == {"ok"}, text)
    expect_in("there is no mount.nfs", text, "what it says")
    expect_in("the image has all 1", text, "what it says")
    expect_in("the image has all 2", text, "what it says")
    expect(set(told) == {"reservation", "armed", "image", "content", "target", "drivers", "modules",
                         "hook", "watchdog"},
           "it looked at %s" % sorted(told))

    for what, verdict, sentence, build in (
            ("drivers", "FAIL", "the image lacks e1000_x", lambda: image(system, "sunrpc")),
            ("modules", "FAIL", "the image lacks sunrpc", lambda: image(system, "nfs", "e1000-x")),
            ("content", "FAIL", "holds no configuration",
             lambda: image(system, "e1000-x", **{"etc/vmcore-save.conf": None})),
            ("content", "FAIL", "holds no vmcore-save",
             lambda: image(system, "e1000-x", init=None))):
        build()
        system.does("rebuild", "--force", "--kernel=" + RELEASE)
        status, told, text = checked(system)
        expect(status == 3 and told[what] == verdict, text)
        expect_in(sentence, text, "what it says")
        expect(told["armed"] == "warn", "another image than the armed one: " + text)
    system.write(IMAGE[1:], "070701 no")
    status, told, text = checked(system)
    expect(status == 3 and told["content"] == "FAIL", text)
    expect_in("damaged", text, "what it says")
    image(system, "sunrpc")
    system.write("lib/modules/%s/modules.dep" % RELEASE, "kernel/sunrpc.ko:\n")
    system.write("lib/modules/%s/modules.builtin" % RELEASE, "kernel/e1000-x.ko\nkernel/nfs.ko\n")
    system.does(*START)
    system.does("rebuild", "--force", "--kernel=" + RELEASE)
    system.does("start", "--reload", "--kernel=" + RELEASE)
    status, told, text = checked(system)
    expect(status == 0 and told["drivers"] == "ok", text)

    os.chmod(system.path("hooks/post"), 0o644)
    status, told, text = checked(system)
    expect(status == 3 and told["hook"] == "FAIL", text)
    system.write("etc/vmcore-save.conf", "ext4 UUID=not-here\npath /crash\n")
    status, told, text = checked(system)
    expect(status == 3 and told["target"] == "FAIL" and told["image"] == "warn", text)
    system.write("etc/vmcore-save.conf", "path /var/crash\n")
    system.write("proc/meminfo", "MemTotal: %d kB\n" % (1 << 50))
    status, told, text = checked(system)
    expect(told["space"] == "warn", text)
    system.write("proc/meminfo", "MemTotal: 1024 kB\n")
    expect(checked(system)[1]["space"] == "ok", "too little space for 1 MiB")


# ---- images
def padded(data):
    return data + bytes(-len(data) % 512)


def plain(files):
    return padded(newc(files))


@test("control/check-full-image", "control")
def check_full_image():
    """dracut's own image: microcode, zeros, and the rest compressed, in one piece or more."""
    system = System("check-full")
    takes_builds(system)
    system.write("lib/modules/%s/modules.builtin" % RELEASE, "")
    image(system)
    system.does(*START)
    microcode = plain({"kernel/x86/microcode/GenuineIntel.bin": "code"})
    first = {"usr/bin/vmcore-save": "program", "etc/vmcore-save.conf": "path /var/crash\n",
             "usr/lib/modules/%s/kernel/fs/ext4.ko.zst" % RELEASE: "module"}
    second = {"usr/lib/modules/%s/kernel/x.ko.xz" % RELEASE: "module"}
    xz = lzma.compress(plain(second), check=lzma.CHECK_CRC32)
    for what, verdict, sentence, data in (
            ("gzip", "ok", "full image, 1 modules", microcode + gzip.compress(plain(first))),
            ("zeros and xz", "ok", "full image, 2 modules",
             microcode + gzip.compress(plain(first)) + bytes(512) + xz),
            ("plain behind", "ok", "full image, 2 modules",
             padded(gzip.compress(plain(first))) + plain(second)),
            ("cut", "FAIL", "damaged", microcode + gzip.compress(plain(first))[:-20]),
            ("garbage", "FAIL", "damaged", microcode + gzip.compress(plain(first)) + b"garbage"),
            ("bzip2", "warn", "is packed by bzip2", microcode + bz2.compress(plain(first))),
            ("lzma", "warn", "is packed by lzma",
             microcode + lzma.compress(plain(first), format=lzma.FORMAT_ALONE))):
        with open(system.path(IMAGE[1:]), "wb") as f:
            f.write(data)
        told = json.loads(system.ctl("check", "--json")[1])["checks"]
        content = [c for c in told if c["name"] == "content"][0]
        expect(content["verdict"] == verdict and sentence in content["text"],
               "of %s it says %s" % (what, content))


# ---- the kernel
KERNEL_FACTS = (
    # file, text, name, verdict, sentence
    ("proc/sys/kernel/panic_on_oops", "1", "oops", "ok", "an oops is a panic"),
    ("proc/sys/kernel/panic_on_oops", "0", "oops", "ok", "is not captured"),
    ("proc/sys/kernel/panic", "5", "panic", "ok", "the kernel reboots"),
    ("proc/sys/kernel/panic", "-1", "panic", "ok", "the kernel reboots"),
    ("proc/sys/kernel/panic", "0", "panic", "warn", "hangs for ever"),
    ("proc/sys/kernel/softlockup_panic", "0", "hangs", "ok", "captured: none; not: softlockup_panic"),
    ("proc/sys/kernel/hung_task_panic", "1", "hangs", "ok",
     "captured: hung_task_panic; not: softlockup_panic"),
    ("proc/sys/kernel/kexec_load_disabled", "0", "kexec", "ok", "may be loaded"),
    ("proc/sys/kernel/kexec_load_limit_panic", "-1", "kexec", "ok", "may be loaded"),
    ("proc/sys/kernel/kexec_load_limit_panic", "0", "kexec", "warn",
     "limit_panic is used up: nothing can be armed before the next boot"),
    ("proc/sys/kernel/kexec_load_disabled", "1", "kexec", "warn", "nothing can be armed before"),
    ("sys/kernel/kexec_crash_loaded", "1", "kexec", "warn", "what is armed stays"),
    ("sys/kernel/security/lockdown", "[none] integrity confidentiality", "lockdown", "ok",
     "none, and no Secure Boot"),
    ("sys/kernel/security/lockdown", "none [integrity] confidentiality", "lockdown", "warn",
     "integrity, Secure Boot off, and "),
    ("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "\6\0\0\0\1",
     "lockdown", "warn", "integrity, Secure Boot on, and "),
    ("sys/kernel/security/lockdown", "[none] integrity", "lockdown", "warn", "none, Secure Boot on"),
    ("sys/module/pstore/parameters/backend", "efi_pstore", "pstore", "ok", "efi_pstore keeps"),
    ("sys/module/pstore/parameters/backend", "(null)", "pstore", "ok", "none: "),
    ("sys/firmware/acpi/tables/ERST", "", "pstore", "warn", "has an ERST"),
    ("etc/vmcore-save.conf", "watchdog no\n", "watchdog", "ok", "not used"),
    ("etc/vmcore-save.conf", "", "watchdog", "warn", "no hardware watchdog"),
)


@test("control/check-kernel", "control")
def check_kernel():
    """What the running kernel makes of a crash, fact by fact."""
    system = System("check-kernel")
    for name, text, what, verdict, sentence in KERNEL_FACTS:
        system.write(name, text)
        finds_now(system, what, verdict, sentence)
    kernel = bytearray(512)
    kernel[0:2], kernel[0x3c], kernel[64:68] = b"MZ", 64, b"PE\0\0"
    kernel[88:90], kernel[88 + 108], kernel[88 + 112 + 36] = b"\x0b\x02", 16, 1
    for signed in (False, True):
        with open(system.path("boot/vmlinuz-" + os.uname().release), "wb") as f:
            f.write(bytes(kernel) if signed else b"kernel")
        finds_now(system, "lockdown", "ok" if signed else "warn",
                  "is signed" if signed else "is not signed")
    driver = system.path("sys/bus/pci/drivers/i6300esb timer")
    for folder in (driver, system.path("sys/module/i6300esb"),
                   system.path("sys/class/watchdog/watchdog0/device")):
        os.makedirs(folder)
    os.symlink("../../../../module/i6300esb", driver + "/module")
    os.symlink(driver, system.path("sys/class/watchdog/watchdog0/device/driver"))
    takes_builds(system)
    image(system)
    system.does(*START)
    finds_now(system, "watchdog", "warn", "the image lacks i6300esb")
    image(system, "i6300esb")
    system.does("rebuild", "--force", "--kernel=" + RELEASE)
    finds_now(system, "watchdog", "ok", "i6300esb")


# ---- space
def space(system, verdict, sentence, kept_mib=None, does=None):
    """What check says where a count of the memory says this."""
    pages = {"planned": (kept_mib or 0) * 256, "zero": 0,
             "by_class": {"cache": 1 << 50, "cache_private": 0, "user": 0, "free": 0}}
    program(system, "vmcore-save", does or 'echo "$*" >"$ROOT/call"; echo \'%s\'\n' %
            json.dumps({"pages": pages}))
    results = json.loads(system.ctl("check", "--json")[1])["checks"]
    text = " | ".join("%s: %s" % (c["verdict"], c["text"]) for c in results if c["name"] == "space")
    expect(text.startswith(verdict + ": ") and sentence in text, "it says " + text)


@test("control/check-space", "control")
def check_space():
    """A live count of what would be kept, packed as the last dump was, against what is free."""
    system = System("check-space")
    room = os.statvfs(system.path("var/crash"))
    room = room.f_bavail * room.f_frsize >> 20
    system.write("proc/kcore", "")
    system.write("proc/meminfo", "MemTotal: %d kB\n" % (4 << 20))
    space(system, "ok", "MiB are free in /var/crash; a dump now would take about 50 (100 of 4096 MiB "
          "kept at level 31, packed to 50 %, which is assumed)", 100)
    expect(system.read("call") == "--mem-usage --json %s\n" % system.path("proc/kcore"), "the call")
    space(system, "warn", "a dump now would take about %d " % (room * 3 // 4), room * 3 // 4 * 2)
    space(system, "FAIL", "a dump now would take about %d " % (room * 2), room * 4)
    system.write("var/crash/2026-11-01-00:00/vmcore-save.json", json.dumps({
        "program": "vmcore-save", "verdict": "complete", "kernel_release": "5.10",
        "crash_time": 1790000000, "files": {"dump_bytes": 100 * 4096},
        "dump": {"pages": {"kept": 1010, "zero": 10}}}))
    space(system, "ok", "would take about 11 (100 of 4096 MiB kept at level 31, packed to 11 %, as the "
          "last dump was)", 100)
    system.write("etc/vmcore-save.conf", "path /var/crash\ncore_collector vmcore-save -d 17\n")
    space(system, "FAIL", "kept at level 17", 100)
    system.write("etc/vmcore-save.conf", "path /var/crash\n")
    small = room << 10 > 4 << 20
    for does, why in (("exit 1\n", "cannot read /proc/kcore"), ("echo '{}'\n", "cannot read")):
        space(system, "ok" if small else "warn", "more than all memory" if small else why, does=does)
    system.write("proc/meminfo", "MemTotal: %d kB\n" % (1 << 50))
    space(system, "warn", "is not known, for vmcore-save cannot read", does="exit 1\n")
    os.unlink(system.path("proc/kcore"))
    space(system, "warn", "is not known, for there is no vmcore-save or /proc/kcore", 1)


# ---- targets
def finds_now(system, name, verdict, sentence):
    """What check says of one subject."""
    told = json.loads(system.ctl("check", "--json")[1])
    found = [c for c in told["checks"] if c["name"] == name]
    texts = " | ".join("%s: %s" % (c["verdict"], c["text"]) for c in found)
    expect(any(c["verdict"] == verdict and sentence in c["text"] for c in found),
           "of %s it says: %s, and not %s: %s" % (name, texts, verdict, sentence))


def finds(system, conf, name, verdict, sentence):
    """The same with another configuration."""
    system.write("etc/vmcore-save.conf", conf)
    finds_now(system, name, verdict, sentence)


class Loop:
    """A file as a block device below /dev of a system."""

    def __init__(self, system, size, *mkfs):
        self.path = system.path("disk")
        with open(self.path, "wb") as f:
            f.truncate(size)
        if mkfs:
            vm.run([*mkfs, self.path])
        self.device = vm.run(["losetup", "--find", "--show", self.path]).strip()
        self.link = system.path("dev/disk/by-uuid/1234")
        os.makedirs(os.path.dirname(self.link), exist_ok=True)
        if os.path.lexists(self.link):
            os.unlink(self.link)
        os.symlink(self.device, self.link)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        vm.run(["losetup", "--detach", self.device])

    def content(self):
        with open(self.path, "rb") as f:
            return f.read()


def ext4(system, size=16 << 20, populate=None):
    more = ["-d", populate] if populate else []
    return Loop(system, size, "mkfs.ext4", "-q", "-O", "^metadata_csum_seed", *more)


@test("control/check-disk", "control")
def check_disk():
    """What is on the device is looked at, by a mount that changes nothing and stays nowhere."""
    if os.geteuid() != 0:
        raise Skip("a loop device needs root")
    system = System("check-disk")
    tree = vm.fresh_dir(cores.out_dir("control-check-tree"))
    os.makedirs(os.path.join(tree, "crash"))
    os.symlink("/crash", os.path.join(tree, "link"))
    with open(os.path.join(tree, "file"), "w", encoding="ascii"):
        pass
    system.write("proc/meminfo", "MemTotal: 1024 kB\n")
    conf = "ext4 UUID=1234\npath %s\n"
    with ext4(system, 300 << 20, tree) as disk:
        before = disk.content()
        finds(system, conf % "/crash", "target", "ok", "ext4 UUID=1234")
        finds(system, conf % "/crash", "mount", "ok", "can be mounted, the directory is there")
        finds(system, conf % "/link", "mount", "ok", "can be mounted, the directory is there")
        finds(system, conf % "/none/x", "mount", "ok", "the directory is made at the first dump")
        finds(system, conf % "/file", "mount", "FAIL", "something else than a directory")
        finds(system, conf % "/file/x", "mount", "FAIL", "something else than a directory")
        finds(system, conf % "/crash", "space", "ok", "MiB are free in UUID=1234")
        finds(system, "xfs UUID=1234\n", "target", "warn", "xfs UUID=1234 holds ext4")
        finds(system, "ext4 UUID=1234\nmount_options frob\n", "mount", "FAIL",
              "cannot be mounted: ")
        finds(system, "nfs no-such-host.invalid:/\next4 UUID=1234\nmount_options frob\n", "mount",
              "warn", "cannot be mounted: ")
        expect(disk.content() == before, "looking has changed the disk")
        with open("/proc/self/mountinfo", encoding="utf-8") as f:
            expect(disk.device + " " not in f.read(), "it is mounted still")
        mounted_disk(system, disk, conf)
    with ext4(system) as disk:
        finds(system, conf % "/", "space", "FAIL", "MiB are free")
        finds(system, "raw /dev/disk/by-uuid/1234\n", "target", "FAIL", "holds ext4")
    with Loop(system, 16 << 20, "mkswap", "-q"):
        finds(system, conf % "/", "target", "FAIL", "holds swap, which cannot be mounted")
    with Loop(system, 16 << 20):
        finds(system, conf % "/", "target", "FAIL", "holds nothing that is known")
        finds(system, "raw /dev/disk/by-uuid/1234\n", "target", "FAIL", "too small")
    with Loop(system, 100 << 20):
        finds(system, "raw /dev/disk/by-uuid/1234\n", "target", "ok", "raw /dev/disk")
        finds(system, "raw /dev/disk/by-uuid/1234\n", "space", "ok", "83 MiB are free")
    shutil.rmtree(system.root)


def mounted_disk(system, disk, conf):
    """One that is mounted is looked at where it is."""
    number = os.stat(disk.device).st_rdev
    system.write("proc/self/mountinfo", "30 1 %d:%d / /srv rw - ext4 %s rw\n" % (
        os.major(number), os.minor(number), disk.device))
    os.makedirs(system.path("srv/crash"))
    finds(system, conf % "/crash", "mount", "ok", "mounted, the directory is there")
    os.rmdir(system.path("srv/crash"))
    finds(system, conf % "/crash", "mount", "ok", "mounted, the directory is made")
    vm.run(["mount", "-o", "ro", disk.device, system.path("srv")])
    try:
        finds(system, conf % "/crash", "mount", "warn", "it is mounted read-only now")
        finds(system, "raw /dev/disk/by-uuid/1234\n", "target", "FAIL", "is mounted, or part of")
    finally:
        vm.run(["umount", system.path("srv")])
    os.unlink(system.path("proc/self/mountinfo"))


@test("control/check-network", "control")
def check_network():
    """Servers that are there, and ones that are not."""
    system = System("check-network")
    with Listener() as server:
        conf = NFS % server.port
        finds(system, conf, "target", "ok", "127.0.0.1 answers")
        finds(system, conf.replace("127.0.0.1", "localhost"), "target", "ok", " answers")
        finds(system, conf, "mount", "warn", "there is no mount.nfs")
        system.write("sbin/mount.nfs", "")
        os.chmod(system.path("sbin/mount.nfs"), 0o755)
        program(system, "mount", 'echo "$*" >"$ROOT/mounted"; echo "mount.nfs: no such share" >&2\n'
                                 "exit 32\n")
        if os.geteuid() == 0:
            finds(system, conf, "mount", "FAIL", "cannot be mounted: mount.nfs: no such share")
            expect_in("-n -t nfs -o port=%d,ro,soft,retry=0,nosuid,nodev,noexec 127.0.0.1:/export "
                      % server.port, system.read("mounted"), "the call of mount")
        os.unlink(system.path("sbin/mount.nfs"))
    finds(system, conf, "target", "FAIL", "port %d of 127.0.0.1: Connection refused" % server.port)
    finds(system, conf.replace("127.0.0.1", "no-such-host.invalid"), "target", "FAIL",
          "no address is known of no-such-host.invalid")
    finds(system, conf.replace("port=", "udp,port="), "target", "ok", "is not asked over UDP")
    finds(system, "raw /dev/none\n" + conf, "target", "warn", "Connection refused")


@test("control/check-hangs", "control-hangs", long=True)
def check_hangs():
    """A share that never answers costs some time, and nothing of it stays."""
    if os.geteuid() != 0:
        raise Skip("a mount needs root")
    system = System("check-hangs")
    system.write("sbin/mount.nfs", "")
    os.chmod(system.path("sbin/mount.nfs"), 0o755)
    program(system, "mount", "sleep 4321\n")
    with Listener() as server:
        finds(system, NFS % server.port, "mount", "FAIL", "no answer in time")
    running = vm.run(["ps", "-eo", "args"])
    expect("sleep 4321" not in running, "what hangs is left behind")


@test("control/check-ssh", "control-ssh")
def check_ssh():
    """A login as the capture's own: by a known server, with the key that it has."""
    system = System("check-ssh")
    home = os.environ.get("HOME", "/root")
    key = sshd.key_make(os.path.join(vm.fresh_dir(cores.out_dir("check-ssh-keys")), "key"))
    host_key, other = (sshd.key_make(key + name) for name in ("-host", "-other"))
    port = sshd.free_port()
    conf = "sshkey /key\nssh %s@127.0.0.1:%d\n" % (sshd.user(), port)
    known = "[127.0.0.1]:%d %s"
    finds(system, conf, "target", "FAIL", "Connection refused")
    with sshd.Server(port, system.path("crash"), sshd.public(key), host_key):
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(0.1)
        finds(system, conf, "target", "ok", "127.0.0.1 answers")
        finds(system, conf, "host key", "FAIL", "none of [127.0.0.1]:%d is known" % port)
        system.write(home[1:] + "/.ssh/known_hosts", known % (port, sshd.public(host_key)))
        vm.run(["ssh-keygen", "-q", "-H", "-f", system.path(home[1:] + "/.ssh/known_hosts")])
        finds(system, conf, "host key", "ok", "is known")
        finds(system, conf, "login", "FAIL", "there is no key /key")
        shutil.copy(key, system.path("key"))
        finds(system, conf, "login", "ok", "takes /key")
        shutil.copy(other, system.path("key"))
        finds(system, conf, "login", "FAIL", "Permission denied")
        os.unlink(system.path(home[1:] + "/.ssh/known_hosts"))
        shutil.copy(key, system.path("key"))
        system.write("etc/ssh/ssh_known_hosts", known % (port, sshd.public(other)))
        finds(system, conf, "login", "FAIL", "Host key verification failed")


# ---- modules and layers
def block(system, number, *layers):
    """A made-up block device in sysfs, of layers from the top: (name, {attribute: text}); the one at
    the bottom hangs on virtio_blk, which is a module."""
    path = None
    for name, attributes in layers:
        path = "sys/devices/pci0/virtio1/block/" + name
        for attribute, text in attributes.items():
            system.write(path + "/" + attribute, text + "\n")
        os.makedirs(system.path(path + "/slaves"), exist_ok=True)
    for (name, _), (below, _) in zip(layers, layers[1:]):
        os.symlink("../../" + below, system.path("sys/devices/pci0/virtio1/block/%s/slaves/%s" %
                                                 (name, below)))
    os.makedirs(system.path("sys/bus/virtio/drivers/virtio_blk"))
    os.makedirs(system.path("sys/module/virtio_blk"))
    os.symlink("../../../../module/virtio_blk",
               system.path("sys/bus/virtio/drivers/virtio_blk/module"))
    os.symlink("../../../bus/virtio/drivers/virtio_blk",
               system.path("sys/devices/pci0/virtio1/driver"))
    os.makedirs(system.path("sys/dev/block"))
    os.symlink("../../devices/pci0/virtio1/block/" + layers[0][0],
               system.path("sys/dev/block/" + number))


@test("control/check-modules", "control")
def check_modules():
    """The file system's module, those of the layers below it, what these need, and the layers."""
    system = System("check-modules")
    takes_builds(system)
    device = os.stat(system.path("var/crash")).st_dev
    lvm, md = "LVM-abc", "8b1c7f0e-4a52-6a4e-9d7d-1f6f2d1f8f10"
    block(system, "%d:%d" % (os.major(device), os.minor(device)),
          ("dm-0", {"dm/name": "vg-root", "dm/uuid": lvm}),
          ("md0", {"md/level": "raid1", "md/uuid": md}), ("vda", {"size": "9"}))
    system.write("lib/modules/%s/modules.dep" % RELEASE, "".join("kernel/%s\n" % line for line in (
        "dm-mod.ko:", "md-mod.ko.zst:", "raid1.ko.zst: kernel/md-mod.ko.zst", "virtio_blk.ko:",
        "ext4.ko: kernel/jbd2.ko", "xfs.ko:", "btrfs.ko:", "jbd2.ko:")))
    system.write("lib/modules/%s/modules.builtin" % RELEASE, "kernel/other.ko\n")
    stack = "md md0 %s raid1 1.2 2\ndm vg-root %s\n" % (md, lvm)
    whole = ("dm_mod", "md_mod", "raid1", "virtio_blk", "ext4", "jbd2", "xfs", "btrfs")

    def said(name, verdict, sentence, modules=whole, **files):
        image(system, *modules, **files)
        system.does("rebuild", "--force", "--kernel=" + RELEASE)
        system.does("start", "--kernel=" + RELEASE)
        results = json.loads(system.ctl("check", "--json")[1])["checks"]
        text = " | ".join("%s: %s" % (c["verdict"], c["text"]) for c in results
                          if c["name"] == name)
        expect(text.startswith(verdict) and sentence in text, "of %s it says %s" % (name, text))

    def without(*names):
        return [m for m in whole if m not in names]

    known = {"etc/vmcore-save/stack": stack}
    said("modules", "ok", "the image has all", **known)
    said("layers", "ok", "the image has all 2", **known)
    said("drivers", "ok", "the image has all 1", **known)
    said("drivers", "FAIL", "the image lacks virtio_blk", without("virtio_blk"), **known)
    said("modules", "FAIL", "the image lacks dm_mod", without("dm_mod"), **known)
    said("modules", "FAIL", "the image lacks md_mod raid1", without("md_mod", "raid1"), **known)
    said("layers", "FAIL", "put %s together" % lvm)
    said("layers", "FAIL", "put %s together" % md, **{"etc/vmcore-save/stack": "dm x %s\n" % lvm})
    if os.geteuid() != 0:
        return
    with ext4(system):
        system.write("etc/vmcore-save.conf", "ext4 UUID=1234\n")
        said("modules", "ok", "UUID=1234: the image has all 2")
        said("modules", "FAIL", "UUID=1234: the image lacks jbd2", without("jbd2"))
        system.write("lib/modules/%s/modules.dep" % RELEASE, "kernel/xfs.ko:\n")
        said("modules", "FAIL", "UUID=1234: the image lacks ext4", without("ext4"))
        os.unlink(system.path("lib/modules/%s/modules.builtin" % RELEASE))
        said("modules", "warn", "nothing tells whether the kernel has ext4", without("ext4"))


@test("control/check-nvme", "control")
def check_nvme():
    """The kernel shows an NVMe disk beside its controllers, not below them."""
    system = System("check-nvme")
    takes_builds(system)
    device = os.stat(system.path("var/crash")).st_dev
    disk = "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"
    controller = "sys/devices/pci0/0000:00:04.0/nvme/nvme0"
    system.write(disk + "/size", "9\n")
    system.write(controller + "/transport", "pcie\n")
    os.symlink(system.path(controller),
               system.path("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0"))
    for name in ("sys/bus/pci/drivers/nvme", "sys/module/nvme", "sys/dev/block"):
        os.makedirs(system.path(name))
    os.symlink("../../../../module/nvme", system.path("sys/bus/pci/drivers/nvme/module"))
    os.symlink("../../../bus/pci/drivers/nvme",
               system.path("sys/devices/pci0/0000:00:04.0/driver"))
    os.symlink(system.path(disk),
               system.path("sys/dev/block/%d:%d" % (os.major(device), os.minor(device))))
    image(system)
    system.does(*START)
    finds_now(system, "drivers", "FAIL", "the image lacks nvme")
    image(system, "nvme")
    system.does("rebuild", "--force", "--kernel=" + RELEASE)
    finds_now(system, "drivers", "ok", "the image has all 1")
