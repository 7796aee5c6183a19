# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcorectl on made-up systems below --root, with stand-ins for the programs that it calls."""

import json
import os
import subprocess

import cores
import vm
from harness import expect, expect_in, test

RELEASE = "6.1.0-test"

# ---- start, stop, status, rebuild
# They note how they were called. What they were asked for they do as far as files tell.
DRACUT = """#!/bin/sh
echo "dracut $*" >>"$ROOT/calls"
[ ! -e "$ROOT/dracut-fails" ] || exit 1
cat "$VMCORE_SAVE_CONF" >>"$ROOT/builds"
cd "$ROOT" && printf '%s\n' builds lib/modules/*/kernel/ext4.ko | cpio --quiet -o -H newc | gzip >"$3"
[ ! -e "$ROOT/dracut-cuts" ] || truncate -s 40 "$3"
"""
LOADER = """#!/bin/sh
echo "loader $*" >>"$ROOT/calls"
[ ! -e "$ROOT/loader-fails" ] || exit 1
case "$*" in
"-p -u") echo 0 >"$ROOT/sys/kernel/kexec_crash_loaded" ;;
*) echo 1 >"$ROOT/sys/kernel/kexec_crash_loaded" ;;
esac
"""


class System:
    """A system below a directory."""

    def __init__(self, name, crash_size=64 << 20, conf="path /var/crash\n"):
        self.root = vm.fresh_dir(cores.out_dir("control-" + name))
        for path, text in (("sys/kernel/kexec_crash_size", "%d\n" % crash_size),
                           ("sys/kernel/kexec_crash_loaded", "0\n"),
                           ("proc/cmdline", "root=/dev/x console=tty0 quiet console=ttyS0,9600\n"),
                           ("boot/vmlinuz-" + RELEASE, "kernel"),
                           ("lib/modules/%s/kernel/ext4.ko" % RELEASE, "module"),
                           ("lib/modules/%s/modules.dep" % RELEASE, "kernel/ext4.ko:\n"),
                           ("usr/sbin/vmcore-save", "program"),
                           ("etc/vmcore-save.conf", conf)):
            self.write(path, text)
        for name, text in (("vmcore-save-dracut", DRACUT), ("kexec-loader", LOADER)):
            self.write("bin/" + name, text)
            os.chmod(self.path("bin/" + name), 0o755)
        for name in ("run", "var/lib", "var/crash"):
            os.makedirs(self.path(name), exist_ok=True)

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def read_bytes(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def ctl(self, *args):
        """(exit status, stdout, stderr)"""
        env = dict(os.environ, ROOT=self.root, PATH=self.path("bin") + ":/usr/bin:/bin")
        done = subprocess.run([os.path.join(vm.build_dir(), "vmcorectl"), *args,
                               "--root=" + self.root], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=60)
        return done.returncode, done.stdout, done.stderr

    def does(self, *args):
        """What it says; what it called."""
        if os.path.exists(self.path("calls")):
            os.unlink(self.path("calls"))
        status, _, said = self.ctl(*args)
        expect(status == 0, "%s: exit status %d: %s" % (args, status, said))
        calls = self.read("calls") if os.path.exists(self.path("calls")) else ""
        return said, calls.replace(self.root, "")

    def refuses(self, sentence, *args):
        status, _, said = self.ctl(*args)
        expect(status == 1, "%s: exit status %d: %s" % (args, status, said))
        expect_in(sentence, said, "what it says")


START = ("start", "--kernel=" + RELEASE)
IMAGE = "/boot/initrd-vmcore-save-%s.img" % RELEASE


@test("control/start", "control")
def start():
    """A first start builds and arms; one with nothing new does neither."""
    system = System("start")
    _, calls = system.does(*START)
    expect_in("dracut --hostonly --force %s.new %s\n" % (IMAGE, RELEASE), calls, "the calls")
    expect_in("loader -p /boot/vmlinuz-%s --initrd=%s --append=console=tty0 console=ttyS0,9600 "
              "nr_cpus=1 " % (RELEASE, IMAGE), calls, "the calls")
    expect("root=" not in calls and "quiet" not in calls, "the command line is handed on")
    said, calls = system.does(*START)
    expect(not calls, "called " + calls)
    expect_in("armed already", said, "what it says")
    kernel = system.path("boot/vmlinuz-" + RELEASE)
    times = os.stat(kernel)
    system.write("boot/vmlinuz-" + RELEASE, "lenrek")
    os.utime(kernel, ns=(times.st_atime_ns, times.st_mtime_ns))
    expect_in("armed already", system.does(*START)[0], "a kernel that looks the same is not read")
    expect("loader" in system.does("start", "--reload", "--kernel=" + RELEASE)[1], "no reload")
    system.write("etc/default/vmcore-save", "KERNEL_APPEND_EXTRA='more'\nKEXEC_ARGS='-s -d'\n")
    calls = system.does(*START)[1]
    expect("dracut" not in calls, "a changed command line builds the image")
    expect_in(" more -s -d\n", calls, "the calls")
    _, calls = system.does("stop")
    expect(calls == "loader -p -u\n", "called " + calls)


@test("control/freshness", "control")
def freshness():
    """Each thing that goes into an image builds it again, once, and is named; a new time alone
    does not."""
    system = System("fresh", conf="kdump_post /hooks/post\nextra_bins /usr/bin/tool\n")
    system.does(*START)
    for name in ("etc/vmcore-save.conf", "lib/modules/%s/kernel/ext4.ko" % RELEASE):
        os.utime(system.path(name), (1, 1))
    system.write("lib/modules/%s/kernel/unused.ko" % RELEASE, "not in the image")
    expect("dracut" not in system.does(*START)[1], "a new time builds the image")
    for name, text, what in (
            ("etc/vmcore-save.conf", "kdump_post /hooks/post\npath /var/other\n", "changed"),
            ("boot/vmlinuz-" + RELEASE, "another", "changed"),
            ("lib/modules/%s/kernel/ext4.ko" % RELEASE, "another", "changed"),
            ("lib/modules/%s/modules.dep" % RELEASE, "kernel/ext4.ko:\nkernel/x.ko:\n", "changed"),
            (IMAGE[1:], "not what was built", "changed"),
            ("etc/modprobe.d/x.conf", "options ext4 x", "new"),
            ("usr/sbin/vmcore-save", "newer", "changed"),
            ("hooks/post", "#!/bin/sh", "new"),
            ("etc/kdump/pre.d/10-first", "#!/bin/sh", "new")):
        system.write(name, text)
        named = "/" + name
        told = json.loads(system.ctl("status", "--json")[1])
        expect(told["image_state"] == "stale", "%s: %s" % (name, told["image_state"]))
        expect({"name": named, "what": what} in told["changes"], "%s: %s" % (name, told["changes"]))
        said, calls = system.does(*START)
        expect_in("%s: %s\n" % (what, named), said, "what it says")
        expect("dracut" in calls and "loader" in calls, "%s: called %s" % (name, calls))
        expect("dracut" not in system.does(*START)[1], "%s: built twice" % name)
    os.unlink(system.path("hooks/post"))
    expect_in("gone: /hooks/post", system.does(*START)[0], "what it says")
    system.write("etc/vmcore-save.conf", "force_no_rebuild 1\n")
    said, calls = system.does(*START)
    expect("dracut" not in calls, "built although force_no_rebuild says not to")
    expect_in("force_no_rebuild", said, "what it says")
    expect("dracut" in system.does("rebuild", "--force", "--kernel=" + RELEASE)[1], "not forced")


@test("control/refusals", "control")
def refusals():
    system = System("refuses", crash_size=0)
    system.refuses("no memory is reserved", *START)
    system = System("refuses")
    system.refuses("no file of kernel 6.9", "start", "--kernel=6.9")
    system.refuses("no kernel is called that", "start", "--kernel=../../etc")
    system.write("dracut-fails", "")
    system.refuses("vmcore-save-dracut: ended with status 1", *START)
    system.refuses('there is no crash image, and so no dump: mend what is said above, then '
                   '"vmcorectl start"', *START)
    expect(not os.path.exists(system.path(IMAGE[1:])), "there is an image")
    os.unlink(system.path("dracut-fails"))
    system.does(*START)
    before = system.read_bytes(IMAGE[1:])
    system.write("dracut-cuts", "")
    system.refuses("no image that a kernel unpacks", "rebuild", "--force", "--kernel=" + RELEASE)
    expect(system.read_bytes(IMAGE[1:]) == before, "a cut image took the old one's place")
    os.unlink(system.path("dracut-cuts"))
    system.write("dracut-fails", "")
    system.write("etc/vmcore-save.conf", "path /elsewhere\n")
    said, calls = system.does(*START)
    expect_in("the crash image stays as it was", said, "what it says")
    expect("loader" not in calls and system.read_bytes(IMAGE[1:]) == before, "the old one was lost")
    expect(json.loads(system.ctl("status", "--json")[1])["image_state"] == "stale", "not stale")
    system.write("etc/vmcore-save.conf", "frobnicate 1\n")
    system.refuses("frobnicate", *START)
    system.write("etc/vmcore-save.conf", "path /elsewhere\n")
    system.write("etc/default/vmcore-save", "KERNEL_APPEND=$(reboot)\n")
    system.refuses("/etc/default/vmcore-save:1: ", *START)
    os.unlink(system.path("etc/default/vmcore-save"))
    os.unlink(system.path("dracut-fails"))
    system.write("loader-fails", "")
    system.refuses("kexec-loader: ended with status 1", *START)


@test("control/status", "control")
def status():
    system = System("status")
    code, text, _ = system.ctl("status")
    expect(code == 3 and text.startswith("not armed\n"), "%d: %s" % (code, text))
    system.does(*START)
    code, text, _ = system.ctl("status")
    expect(code == 0 and text.startswith("armed since "), "%d: %s" % (code, text))
    told = json.loads(system.ctl("status", "--json")[1])
    expect(told["armed"] and told["image_state"] == "fresh" and told["release"] == RELEASE and
           told["reserved_bytes"] == 64 << 20, "status tells %s" % told)
    for text in ("", "{", "[]", '{"kernel": 1}', '{"kernel": "\\u0000"}', '{"kernel": null}'):
        system.write("run/vmcore-save/armed.json", text)
        code, text, _ = system.ctl("status")
        expect(code == 0 and "by another program" in text, "%d: %s" % (code, text))
    for text in ("", "vmcore-save inputs 1\nfile", "\0" * 99):
        system.write("var/lib/vmcore-save/image-%s.inputs" % RELEASE, text)
        system.write("run/vmcore-save/armed.json", "")
        told = json.loads(system.ctl("status", "--json")[1])
        expect(told["image_state"] == "absent", "status tells %s" % told)


# ---- setup
def newc(files):
    """A cpio archive; {name: text}"""
    out = b""
    for name, text in [*files.items(), ("TRAILER!!!", "")]:
        fields = (0, 0o100644, 0, 0, 1, 0, len(text), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08X" % f for f in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + text.encode()
        out += bytes(-len(out) % 4)
    return out


def bzimage(mib):
    """A kernel that says how much it needs to start."""
    kernel = bytearray(4096)
    kernel[0x202:0x206] = b"HdrS"
    kernel[0x206:0x208] = bytes((15, 2))
    kernel[0x260:0x264] = (mib << 20).to_bytes(4, "little")
    return bytes(kernel)


@test("control/setup", "control")
def setup():
    """Each boot loader's file below --root, set, changed and taken back."""
    system = System("setup-grub")
    system.write("etc/default/grub", 'GRUB_CMDLINE_LINUX="quiet"\n')
    os.makedirs(system.path("etc/default/grub.d"))
    ours = "etc/default/grub.d/vmcore-save.cfg"

    def told(*args):
        status, text, said = system.ctl("setup", "--json", *args)
        expect(status == 0, "setup %s: exit status %d: %s" % (args, status, said))
        return json.loads(text)

    expect(told("--dry-run")["changed"] and not os.path.exists(system.path(ours)), "not dry")
    first = told()
    expect(first["crashkernel"] == "192M" and first["changed"] and first["reboot_needed"] and
           first["file"] == "/" + ours, "setup tells %s" % first)
    expect_in('"$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=192M"\n', system.read(ours), "the file")
    expect(not told()["changed"], "it changes what is as it should be")
    expect(told("--crashkernel=256M")["crashkernel"] == "256M", "not changed")
    expect(told()["crashkernel"] == "256M", "it forgets what was asked for")
    expect(told("--remove")["crashkernel"] is None and not os.path.exists(system.path(ours)),
           "not removed")
    system.write("etc/default/grub.d/kdump-tools.cfg", 'X="$X crashkernel=128M"\n')
    foreign = told()
    expect(foreign["crashkernel"] == "128M" and not foreign["changed"], "told %s" % foreign)
    system.refuses("take it out there first", "setup", "--crashkernel=192M")
    system.refuses("a size such as 192M", "setup", "--crashkernel=$(id)")

    # A full image, of the kernel that runs here.
    os.unlink(system.path("etc/default/grub.d/kdump-tools.cfg"))
    with open(system.path("boot/vmlinuz-" + os.uname().release), "wb") as f:
        f.write(bzimage(60))
    with open(system.path("boot/initrd-vmcore-save-%s.img" % os.uname().release), "wb") as f:
        f.write(newc({"init": "x" * (100 << 20)}))
    expect(told()["crashkernel"] == "368M", "not enlarged: %s" % told())
    expect(told("--crashkernel=64M")["crashkernel"] == "64M", "another than was asked for")
    expect(told()["crashkernel"] == "64M", "it forgets what was asked for")

    system = System("setup-entries")
    system.write("etc/kernel/cmdline", "root=UUID=1 ro\ncrashkernel=1M,high quiet\n")
    told("--crashkernel=192M")
    expect(system.read("etc/kernel/cmdline") == "root=UUID=1 ro\ncrashkernel=192M quiet\n",
           "the file is " + system.read("etc/kernel/cmdline"))
    expect(told("--remove")["crashkernel"] == "1M,high", "not what was there")
    expect(system.read("etc/kernel/cmdline") == "root=UUID=1 ro\ncrashkernel=1M,high quiet\n",
           "not put back")


# ---- estimate
@test("control/estimate", "control")
def estimate():
    system = System("estimate")
    with open(system.path("boot/vmlinuz-" + RELEASE), "wb") as f:
        f.write(bzimage(50))
    system.refuses("there is no crash image yet", "estimate", "--kernel=" + RELEASE)
    with open(system.path(IMAGE[1:]), "wb") as f:
        f.write(vm.cpio_entry("init", 0o100755, bytes(3 << 20), 1) +
                vm.cpio_entry("TRAILER!!!", 0, b"", 2))
    told = json.loads(system.ctl("estimate", "--json", "--kernel=" + RELEASE)[1])
    expect(told["kernel_bytes"] == 50 << 20 and told["image_unpacked_bytes"] == 3 << 20,
           "estimate tells %s" % told)
    smallest = (50 + 3 + 24 << 20) + os.path.getsize(system.path(IMAGE[1:]))
    expect(told["smallest_bytes"] == smallest and told["recommended_bytes"] == 112 << 20 and
           told["reserved_bytes"] == 64 << 20, "estimate tells %s" % told)
    text = system.ctl("estimate", "--kernel=" + RELEASE)[1]
    expect_in("crashkernel=112M", text, "what it prints")
    expect_in("64 MiB  are reserved now: too little", text, "what it prints")
    expect_in("no earlier capture of this kernel", text, "what it prints")
    for name, release, least in (("1", RELEASE, 20), ("2", RELEASE, 9), ("3", "5.10", 1)):
        system.write("var/crash/2026-11-0%s-00:00/vmcore-save.json" % name, json.dumps({
            "program": "vmcore-save", "verdict": "complete", "kernel_release": release,
            "crash_time": 1790000000 + int(name),
            "environment": {"mem_total_kib": 128 << 10, "mem_available_min_kib": least << 10}}))
    told = json.loads(system.ctl("estimate", "--json", "--kernel=" + RELEASE)[1])
    expect(told["captures"] == 2 and told["capture_peak_bytes"] == 119 << 20 and
           told["last_capture_free_bytes"] == 9 << 20 and told["computed_bytes"] == smallest and
           told["smallest_bytes"] == told["measured_bytes"] == (50 + 119 + 2) << 20,
           "estimate tells %s" % told)
    text = system.ctl("estimate", "--kernel=" + RELEASE)[1]
    expect_in("119.0 MiB  the most that was in use in 2 earlier captures of this kernel, of 128.0",
              text, "what it prints")
    system.write("boot/vmlinuz-" + RELEASE, "no kernel")
    system.refuses("it is no bzImage", "estimate", "--kernel=" + RELEASE)


# ---- migrate
@test("control/migrate", "control")
def migrate():
    """The file that is there is read and not run; what it says is in the two files."""
    system = System("migrate", conf="")
    system.refuses("give the file", "migrate")
    system.write("etc/default/kdump-tools",
                 "USE_KDUMP=1\nNFS='vault:/crash'\nKDUMP_NUM_DUMPS=4\nKDUMP_KEXEC_ARGS=-d\n")
    status, text, said = system.ctl("migrate")
    expect(status == 0 and "\nnfs vault:/crash\npath /\n" in text, "%d: %s%s" % (status, text, said))
    system.write("etc/vmcore-save.conf", text)
    vm.run([os.path.join(vm.build_dir(), "vmcore-save"), "--check-config",
            system.path("etc/vmcore-save.conf")])
    expect_in('\nKEXEC_ARGS="-d"\n', system.ctl("migrate", "--settings")[1], "the settings")
    told = json.loads(system.ctl("migrate", "--json")[1])
    expect("keep_dumps 4\n" in told["config"] and told["lost"] == 0, "migrate tells %s" % told)
    system.write("etc/default/kdump-tools", "KDUMP_COREDIR=$(touch %s)\nFTP=server:/x\n" %
                 system.path("ran"))
    status, text, said = system.ctl("migrate")
    expect(status == 3 and not os.path.exists(system.path("ran")), "%d: %s" % (status, said))
    expect_in("# line 1 is not taken: the shell would", text, "what it prints")
    expect_in("# FTP: there is no FTP", text, "what it prints")
    system.write("fedora", 'KDUMP_IMG="vmlinuz"\nKEXEC_ARGS="-s"\n')
    system.write("etc/kdump.conf", "path /x\n")
    system.refuses("would take its place", "migrate", system.path("fedora"))
    expect_in('\nKEXEC_ARGS="-s"\n',
              system.ctl("migrate", "--settings", system.path("fedora"))[1], "the settings")
    system.refuses("no variable of kdump-tools", "migrate", system.path("etc/kdump.conf"))
    system.refuses("No such file", "migrate", system.path("absent"))
