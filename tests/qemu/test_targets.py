# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a dump can go: each file system and each kind of disk by a real panic. Readers that
are not ours open the dump, and the file system's own checker finds nothing afterwards."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time

import cores
import crash
import readers
import vm
from harness import Skip, expect, expect_in, once, test

KERNEL = "6.12-cloud"
GENERIC = "6.12-generic"  # the cloud flavour has no 9p
LABEL = "TARGET"
TARGET_MODULES = ("xfs", "btrfs", "vfat", "nls_cp437", "nls_ascii", "virtio_scsi", "sd_mod",
                  "ahci", "nvme", "9pnet_virtio", "9p", "virtiofs")
CONF = crash.CONF + "extra_modules %s\n"

# How QEMU attaches a disk whose drive is called target; the machine's own one stays /dev/vda.
DISKS = {
    "virtio-blk": ["-device", "virtio-blk-pci,drive=target,addr=0x1d"],
    "virtio-scsi": ["-device", "virtio-scsi-pci", "-device", "scsi-hd,drive=target"],
    "nvme": ["-device", "nvme,drive=target,serial=target"],
    "ahci": ["-device", "ahci,id=target-bus", "-device", "ide-hd,bus=target-bus.0,drive=target"],
}

# make; check; options for a mount that changes nothing; whether a panic in the middle of
# writing leaves it consistent; whether it has modes
FILE_SYSTEMS = {
    "ext2": (["mke2fs", "-q", "-t", "ext2", "-L", LABEL], ["e2fsck", "-fn"], "", False, True),
    "ext3": (["mke2fs", "-q", "-t", "ext3", "-L", LABEL], ["e2fsck", "-fn"], "norecovery", True,
             True),
    "ext4": (["mke2fs", "-q", "-t", "ext4", "-L", LABEL], ["e2fsck", "-fn"], "norecovery", True,
             True),
    "xfs": (["mkfs.xfs", "-q", "-L", LABEL], ["xfs_repair", "-n"], "norecovery", True, True),
    "btrfs": (["mkfs.btrfs", "-q", "-L", LABEL], ["btrfs", "check", "--readonly"], "", True, True),
    "vfat": (["mkfs.vfat", "-F", "32", "-n", LABEL], ["fsck.vfat", "-n"], "", False, False),
}
SIZE = 1 << 30


def run_tool(argv):
    return vm.run(argv, env=dict(os.environ, LC_ALL="C",
                                 PATH=os.environ["PATH"] + ":/sbin:/usr/sbin"))


@once
def image(name):
    os.makedirs(cores.out_dir(), exist_ok=True)
    kernel = cores.kernel(name)
    there = [m for m in TARGET_MODULES if kernel.module_files([m])]
    return crash.image_build(kernel, cores.out_dir("targets-%s.img" % name),
                             CONF % " ".join(there))


class Panic:
    """One panic into a capture whose target is not the disk that the machine runs from."""

    def __init__(self, what, append, name=KERNEL, parameters=None, qemu=(), memory="1G",
                 timeout=crash.PANIC_TIMEOUT_S):
        self.kernel = cores.kernel(name)
        settings = {"CRASH_APPEND": "%s %s" % (crash.CRASH_APPEND, append)}
        settings.update(parameters or {})
        self.machine = crash.Machine(
            cores.out_dir("targets-" + what), self.kernel, script="report-target.sh",
            parameters=settings, image=image(name), accel=cores.accel(), memory=memory,
            crashkernel="192M" if name == GENERIC else crash.DEFAULT_CRASHKERNEL)
        self.machine.modules = TARGET_MODULES
        self.machine.vm.argv += qemu
        self.machine.prepare(size="1G", files=[("test/panic", os.path.join(vm.HERE, "panic.sh"))])
        self.machine.run(timeout)
        self.console = "\n".join(text for _, text in self.machine.vm.lines
                                 if "vmcore-save" in text)

    def folder(self):
        folders = self.machine.extract()
        expect(len(folders) == 1, "%d folders under /var/crash, not one:\n%s" %
               (len(folders), self.console[-2000:]))
        return folders[0]

    def done(self):
        os.unlink(self.machine.disk.path)


def drive(path, disk):
    return ["-drive", "if=none,id=target,format=raw,cache=unsafe,file=" + path, *DISKS[disk]]


def blank(path, size):
    with open(path, "wb") as f:
        f.truncate(size)
    return path


def manifest_of(folder):
    with open(os.path.join(folder, "vmcore-save.json"), encoding="utf-8") as f:
        return json.load(f)


def judge(kernel, folder):
    """Complete, what the manifest says, and opened by readers that are not ours."""
    names = sorted(os.listdir(folder))
    expect(names == ["vmcore", "vmcore-dmesg.txt", "vmcore-save.json"], "the files are %s" % names)
    dump = os.path.join(folder, "vmcore")
    manifest = manifest_of(folder)
    expect(manifest["verdict"] == "complete", "the verdict is %s: %s" %
           (manifest["verdict"], manifest["reason"]))
    with open(dump, "rb") as f:
        digest = hashlib.file_digest(f, "sha256").hexdigest()
    expect(manifest["dump"]["sha256"] == digest, "the manifest's digest is not the dump's")
    opens(kernel, dump)


def opens(kernel, dump):
    expect_in("sysrq_handle_crash", readers.crash(kernel, dump, ["bt"])["bt"], "bt")
    expect_in("x86_64 " + kernel.release, readers.libkdumpfile(dump), "libkdumpfile")


def check_modes(panic, has_modes):
    want = {"600", "700"} if has_modes else {"700", "755"}
    modes = [line.split(" ")[1] for line in panic.machine.vm.results
             if line.startswith("target ")]
    expect(len(modes) == 4 and (not has_modes or set(modes) == want), "the modes are %s" % modes)


def file_system(fstype, disk):
    make, check, options, journal, has_modes = FILE_SYSTEMS[fstype]
    os.makedirs(cores.out_dir(), exist_ok=True)
    path = blank(cores.out_dir("target-%s-%s.img" % (fstype, disk)), SIZE)
    run_tool([*make, path])
    panic = Panic("%s-%s" % (fstype, disk), "vmcore_save.%s=LABEL=%s" % (fstype, LABEL),
                  parameters={"FSTYPE": fstype, "SOURCE": "LABEL=" + LABEL, "OPTIONS": options,
                              "WRITE": "1" if journal else ""}, qemu=drive(path, disk))
    folder = panic.folder()
    judge(panic.kernel, folder)
    check_modes(panic, has_modes)
    expect(":" in os.path.basename(folder) or fstype == "vfat", "the name is " + folder)
    run_tool([*check, path])
    panic.done()
    os.unlink(path)


PAIRS = {"ext2": "ahci", "ext3": "virtio-scsi", "ext4": "nvme", "xfs": "nvme",
         "btrfs": "virtio-scsi", "vfat": "virtio-blk"}

for _fs in FILE_SYSTEMS:
    for _disk in DISKS:
        _usual = PAIRS[_fs] == _disk
        _long = not _usual or _fs in ("ext2", "ext3")  # the driver is ext4's
        test("targets/" + (_fs if _usual else "%s-%s" % (_fs, _disk)), "targets",
             _long)(lambda fs=_fs, disk=_disk: file_system(fs, disk))


def raw_disk(path, size, leftover=False):
    """A blank disk, or one that is full of what may not show: an older dump and its data."""
    blank(path, size)
    if leftover:
        with open(path, "r+b") as f:
            f.write(b"KDUMP   ")
            chunk = b"\xee" * (1 << 20)
            f.write(chunk[8:])
            for _ in range(1, (size >> 20) - 32):
                f.write(chunk)
    return path


def fetch(*args):
    return vm.run([os.path.join(vm.build_dir(), "vmcore-save"), "--fetch", *args])


def raw_panic(what, path, disk="virtio-blk", append="", parameters=None):
    return Panic(what, "vmcore_save.raw=/dev/vdb " + append, qemu=drive(path, disk),
                 parameters=parameters)


def fetched(path, *options):
    out = vm.fresh_dir(path + ".fetched")
    fetch(*options, path, out)
    folders = os.listdir(out)
    expect(len(folders) == 1, "fetched: %s" % folders)
    folder = os.path.join(out, folders[0])
    for name, mode in [(folder, 0o700)] + [(os.path.join(folder, n), 0o600)
                                           for n in os.listdir(folder)]:
        expect(os.stat(name).st_mode & 0o777 == mode, "%s has mode %o" %
               (name, os.stat(name).st_mode))
    return folder


@test("targets/raw", "targets")
def raw():
    """Over a larger older dump; read from the device as it is, and fetched."""
    path = raw_disk(cores.out_dir("target-raw.img"), 512 << 20, leftover=True)
    panic = raw_panic("raw", path, parameters={"FILL": "1"})
    expect_in("x86_64 " + panic.kernel.release, readers.libkdumpfile(path), "the device itself")
    expect_in("sysrq_handle_crash", readers.crash(panic.kernel, path, ["bt"])["bt"], "bt")
    listed = json.loads(fetch("--list", "--json", path))
    states = {f["name"]: f["state"] for f in listed["files"]}
    expect(states == {"vmcore": "complete", "vmcore-dmesg.txt": "complete",
                      "vmcore-save.json": "complete"}, "listed: %s" % states)
    folder = fetched(path)
    judge(panic.kernel, folder)
    with open(os.path.join(folder, "vmcore-dmesg.txt"), encoding="utf-8") as f:
        expect_in("sysrq: Trigger a crash", f.read(), "the fetched log")
    with open(os.path.join(folder, "vmcore"), "rb") as f:
        expect(b"\xee" * 4096 not in f.read(), "the older dump shows in the new one")
    fetched(path, "--erase")
    expect_in("no capture", fetch("--list", path), "after --erase")
    nothing_left(path)
    panic.done()
    os.unlink(path)


def nothing_left(path):
    out = vm.fresh_dir(path + ".none")
    try:
        fetch(path, out)
    except vm.VmError as e:
        expect_in("there is no dump", str(e), "fetching from an erased device")
    else:
        expect(False, "something was fetched from an erased device")


@test("targets/raw-too-small", "targets")
def raw_too_small():
    """What goes on it is there, opens, and is called incomplete."""
    path = raw_disk(cores.out_dir("target-small.img"), 36 << 20, leftover=False)
    panic = raw_panic("raw-small", path, append="vmcore_save.core_collector=-d0",
                      parameters={"FILL": "1"})
    folder = fetched(path)
    names = sorted(os.listdir(folder))
    expect(names == ["vmcore-dmesg.txt", "vmcore-incomplete", "vmcore-save.json"],
           "the files are %s" % names)
    manifest = manifest_of(folder)
    expect(manifest["verdict"] == "incomplete", "the verdict is %s" % manifest["verdict"])
    dump = os.path.join(folder, "vmcore-incomplete")
    expect(os.path.getsize(dump) <= 20 << 20, "the dump has run into the area")
    _, out = readers.read(readers.libkdumpfile_argv(dump))
    expect_in("x86_64 " + panic.kernel.release, out, "libkdumpfile")
    panic.done()
    os.unlink(path)


@test("targets/raw-cut", "targets")
def raw_cut():
    """Killed in the middle of the dump, with nobody left to say how much of it there is."""
    path = raw_disk(cores.out_dir("target-cut.img"), 256 << 20, leftover=True)
    panic = Panic("raw-cut", "vmcore_save.raw=/dev/vdb vmcore_save.core_collector=-d0 "
                  "vmcore_save.max_time=45", parameters={"FILL": "1"},
                  qemu=drive(path + ",throttling.bps-write=2000000", "virtio-blk"))
    expect_in("45 s", panic.console, "the console")
    listed = json.loads(fetch("--list", "--json", path))
    states = {f["name"]: f["state"] for f in listed["files"]}
    expect(states["vmcore-incomplete"] == "cut off", "listed: %s" % states)
    folder = fetched(path)
    names = sorted(os.listdir(folder))
    expect(names == ["vmcore-dmesg.txt", "vmcore-incomplete", "vmcore-save.json"],
           "the files are %s" % names)
    dump = os.path.join(folder, "vmcore-incomplete")
    expect(0 < os.path.getsize(dump) < 200 << 20, "what was fetched has %d bytes" %
           os.path.getsize(dump))
    _, out = readers.read(readers.libkdumpfile_argv(dump))
    expect_in("x86_64 " + panic.kernel.release, out, "libkdumpfile")
    panic.done()
    os.unlink(path)


def partitioned(path, sizes):
    """A disk of partitions, named PARTUUID=5ec07eed-01 and so on. Returns where each begins."""
    table = bytearray(512)
    table[440:444] = (0x5ec07eed).to_bytes(4, "little")
    table[510:512] = b"\x55\xaa"
    starts, at = [], 2048
    for i, size in enumerate(sizes):
        entry = 446 + 16 * i
        table[entry + 4] = 0x83
        table[entry + 8:entry + 12] = at.to_bytes(4, "little")
        table[entry + 12:entry + 16] = (size // 512).to_bytes(4, "little")
        starts.append(at * 512)
        at += size // 512
    blank(path, at * 512)
    with open(path, "r+b") as f:
        f.write(table)
    return starts


@test("targets/partitions", "targets", long=True)
def partitions():
    """By PARTUUID=: one without a file system, and one that libblkid takes for two things."""
    path, part = cores.out_dir("target-parts.img"), cores.out_dir("target-part.img")
    raw_at, fs_at = partitioned(path, (256 << 20, 64 << 20))
    blank(part, 64 << 20)
    run_tool(["mke2fs", "-q", "-t", "ext4", part])
    with open(part, "r+b") as f, open(path, "r+b") as disk:
        f.write(b"hsqs")  # squashfs, where ext4 leaves room for a boot block
        f.seek(28)
        f.write(b"\4\0")
        f.seek(0)
        disk.seek(fs_at)
        shutil.copyfileobj(f, disk, 1 << 20)
    panic = Panic("partitions", "vmcore_save.raw=PARTUUID=5EC07EED-01 "
                  "vmcore_save.ext4=/dev/disk/by-partuuid/5ec07eed-02",
                  qemu=drive(path, "virtio-blk"))
    with open(path, "rb") as disk:
        disk.seek(raw_at)
        with open(part, "wb") as f:
            f.write(disk.read(256 << 20))
    judge(panic.kernel, fetched(part))
    for said in ("/dev/vdb1 ", "/dev/vdb2 (more than one signature)", "/dev/disk/by-partuuid/"
                 "5ec07eed-02 is open"):
        expect_in(said, panic.console, "the console")
    panic.done()
    os.unlink(path)
    os.unlink(part)


@test("targets/raw-refuses", "targets")
def raw_refuses():
    """A file system is not written over, and the next target gets the dump."""
    path = blank(cores.out_dir("target-refused.img"), 256 << 20)
    run_tool(["mke2fs", "-q", "-t", "ext4", "-L", "PRECIOUS", path])
    with open(path, "rb") as f:
        before = hashlib.file_digest(f, "sha256").hexdigest()
    panic = raw_panic("raw-refuses", path, append="vmcore_save.ext4=LABEL=vmcore-test")
    expect_in("holds ext4", panic.console, "the console")
    judge(panic.kernel, panic.folder())
    with open(path, "rb") as f:
        expect(hashlib.file_digest(f, "sha256").hexdigest() == before, "the device changed")
    panic.done()
    os.unlink(path)


def share(what, tag, qemu, folder, name):
    panic = Panic(what, "vmcore_save.%s=%s" % (what, tag), name=name, qemu=qemu)
    crash_dir = os.path.join(folder, "var", "crash")
    expect(os.path.isdir(crash_dir), "nothing came to the share:\n" + panic.console[-2000:])
    folders = os.listdir(crash_dir)
    expect(len(folders) == 1, "folders in the share: %s" % folders)
    saved = os.path.join(crash_dir, folders[0])
    expect(os.stat(saved).st_mode & 0o777 == 0o700, "the folder's mode")
    for entry in os.listdir(saved):
        expect(os.stat(os.path.join(saved, entry)).st_mode & 0o777 == 0o600,
               "the mode of " + entry)
    judge(panic.kernel, saved)
    panic.done()


@test("targets/9p", "targets", long=True)
def nine_p():
    folder = vm.fresh_dir(cores.out_dir("share-9p"))
    share("9p", "crash-share",
          ["-fsdev", "local,id=share,security_model=none,path=" + folder,
           "-device", "virtio-9p-pci,fsdev=share,mount_tag=crash-share"], folder, GENERIC)


def virtiofsd():
    for path in ("/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"):
        if os.access(path, os.X_OK):
            return path
    return None


@test("targets/virtiofs", "targets")
def virtiofs():
    program = virtiofsd()
    if not program or os.geteuid() != 0:
        raise Skip("virtiofsd, as root, is not there")
    folder = vm.fresh_dir(cores.out_dir("share-virtiofs"))
    with tempfile.TemporaryDirectory() as sockets:
        socket = os.path.join(sockets, "s")
        daemon = virtiofsd_start(program, socket, folder)
        try:
            share("virtiofs", "crash-share",
                  ["-object", "memory-backend-memfd,id=mem,size=1G,share=on",
                   "-numa", "node,memdev=mem",
                   "-chardev", "socket,id=share,path=" + socket,
                   "-device", "vhost-user-fs-pci,chardev=share,tag=crash-share"], folder, KERNEL)
        finally:
            daemon.terminate()
            daemon.wait()


def virtiofsd_start(program, socket, folder):
    """QEMU's own up to 7.2, which Debian 12 has; the later one is another program."""
    options = (["-o", "source=" + folder, "-o", "sandbox=chroot"] if program.endswith(
        "/qemu/virtiofsd") else ["--shared-dir", folder, "--sandbox=chroot"])
    daemon = subprocess.Popen([program, "--socket-path=" + socket, *options],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(100):
        if os.path.exists(socket) or daemon.poll() is not None:
            break
        time.sleep(0.1)
    return daemon


@test("targets/vfat-4-gib", "targets", long=True)
def vfat_limit():
    """No file of 4 GiB goes on vfat: it says so, and the next target gets the dump."""
    path = blank(cores.out_dir("target-vfat-limit.img"), 8 << 30)
    run_tool(["mkfs.vfat", "-F", "32", "-n", LABEL, path])
    panic = Panic("vfat-limit", "vmcore_save.vfat=LABEL=%s vmcore_save.ext4=LABEL=vmcore-test "
                  'vmcore_save.core_collector=\\"-d 0 --codec none\\"' % LABEL,
                  qemu=drive(path, "virtio-blk"), memory="4608M", timeout=1800)
    expect_in("4096 MiB", panic.console, "the console")
    panic.done()
    os.unlink(path)
