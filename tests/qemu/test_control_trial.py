# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcorectl test --crash and --result, on made-up systems below --root, and in earnest."""

import json
import os
import pty
import subprocess
import time

import cores
import crash as crash_image
import vm
from harness import expect, expect_in, test
from test_control import IMAGE, RELEASE, System
from test_control_check import image, takes_builds
from test_control_dumps import HOSTILE, PANIC, put_dump

MARKER = "var/lib/vmcore-save/test.json"
BOOT_ID = "proc/sys/kernel/random/boot_id"
BEFORE, AFTER = ("%08d-1111-2222-3333-444455556666\n" % n for n in (1, 2))


class Machine(System):
    """One that is armed; what a crash would write to is a file."""

    def __init__(self, name):
        super().__init__("trial-" + name)
        self.write(BOOT_ID, BEFORE)
        self.write("proc/sys/kernel/sysrq", "0\n")
        self.write("proc/sysrq-trigger", "")
        takes_builds(self)
        image(self, "ext4")
        self.does("start", "--kernel=" + RELEASE)

    def argv(self, *args):
        return [os.path.join(vm.build_dir(), "vmcorectl"), "test", *args, "--root=" + self.root]

    def crash(self, *args, stdin=subprocess.DEVNULL):
        """As if the machine went down, at the moment when it would."""
        with subprocess.Popen(self.argv("--crash", *args), stdin=stdin, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as running:
            until = time.monotonic() + 20
            while self.read("proc/sysrq-trigger") != "c" and running.poll() is None:
                expect(time.monotonic() < until, "no crash came")
                time.sleep(0.05)
            running.kill()
            status = running.wait()
        expect(self.read("proc/sysrq-trigger") == "c", "no crash came: exit status %d" % status)
        expect(self.read("proc/sys/kernel/sysrq") == "1\n", "sysrq is %s" %
               self.read("proc/sys/kernel/sysrq"))
        return json.loads(self.read(MARKER))

    def marker(self, when, **more):
        """As an earlier boot left it."""
        self.write(MARKER, json.dumps({
            "time": when, "boot_id": BEFORE.strip(), "kernel": "/boot/vmlinuz", "image": "/boot/i",
            "image_sha256": "0" * 64, "told": False, "seconds": 0, **more}))
        self.write(BOOT_ID, AFTER)
        self.write("proc/stat", "cpu 1\nbtime %d\n" % (when + 30))

    def told(self):
        """(exit status, what --json tells); consumed is whether the marker is."""
        status, text, said = self.ctl("test", "--result", "--json")
        expect(text, "exit status %d: %s" % (status, said))
        return status, json.loads(text)

    def is_marked(self):
        return os.path.exists(self.path(MARKER))


@test("control/test-crash", "control")
def crash():
    machine = Machine("crash")
    status, _, said = machine.ctl("test", "--crash", "--memory=64")
    expect(status == 2, "exit status %d: %s" % (status, said))
    expect_in("--memory goes with --vm", said, "what it says")
    status, text, said = machine.ctl("test", "--crash")
    expect(status == 2 and "target" in text, "exit status %d: %s%s" % (status, text, said))
    expect_in("--yes, where nobody is to be asked", said, "what it says")

    machine.write("etc/vmcore-save.conf", "ext4 UUID=not-here\n")
    status, text, said = machine.ctl("test", "--crash", "--yes")
    expect(status == 3 and "FAIL" in text, "exit status %d: %s%s" % (status, text, said))
    expect_in("or add --force", said, "what it says")
    expect(machine.read("proc/sysrq-trigger") == "" and not machine.is_marked(), "it crashed")
    mark = machine.crash("--yes", "--force")
    expect(abs(mark["time"] - time.time()) < 60 and mark["boot_id"] == BEFORE.strip() and
           mark["image"] == machine.path(IMAGE[1:]) and len(mark["image_sha256"]) == 64,
           "the marker is %s" % mark)

    machine.write("proc/sysrq-trigger", "")
    machine.write("sys/kernel/kexec_crash_loaded", "0\n")
    status, _, said = machine.ctl("test", "--crash", "--yes", "--force")
    expect(status == 3 and machine.read("proc/sysrq-trigger") == "", "%d: %s" % (status, said))
    expect_in("nothing is armed", said, "what it says")


@test("control/test-crash-asks", "control")
def asks():
    """A person types a word; nothing else will do. A kernel that stays up leaves no marker."""
    machine = Machine("asks")
    for answer, goes in (("no", False), ("", False), ("crash it", False), ("crash", True)):
        person, terminal = pty.openpty()
        os.write(person, answer.encode() + b"\n")
        if goes:
            machine.crash(stdin=terminal)
            os.unlink(machine.path(MARKER))
        else:
            done = subprocess.run(machine.argv("--crash"), stdin=terminal, timeout=60,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            expect(done.returncode == 3, "%s: exit status %d" % (answer, done.returncode))
            expect(machine.read("proc/sysrq-trigger") == "", "it crashed at " + answer)
        os.close(person)
        os.close(terminal)
    status, _, said = machine.ctl("test", "--crash", "--yes")
    expect(status == 1 and not machine.is_marked(), "exit status %d: %s" % (status, said))
    expect_in("told to crash, and did not", said, "what it says")
    os.unlink(machine.path("proc/sysrq-trigger"))
    status, _, said = machine.ctl("test", "--crash", "--yes")
    expect(status == 1 and not machine.is_marked(), "exit status %d: %s" % (status, said))


@test("control/test-result", "control")
def result():
    machine = Machine("result")
    place, when = machine.path("var/crash"), 1767225600
    machine.refuses("no test crash is to be told of", "test", "--result")
    for text in ("", "{", "[]", '{"time": 1}', '{"boot_id": "\\u0000"}'):
        machine.write(MARKER, text)
        machine.refuses("not what vmcorectl writes", "test", "--result")

    machine.marker(when)
    machine.write(BOOT_ID, BEFORE)
    status, told = machine.told()
    expect(status == 3 and told["outcome"] == "pending" and machine.is_marked(), "%s" % told)

    put_dump(place, "2025-12-31-00:00", when - 10)
    machine.marker(when)
    machine.write("etc/vmcore-save.conf", "path /var/crash\nssh user@host\n")
    status, text, _ = machine.ctl("test", "--result")
    expect(status == 3 and not machine.is_marked(), "exit status %d: %s" % (status, text))
    for sentence in ("NO DUMP came of it", "ssh user@host ls -l", "vmcorectl check"):
        expect_in(sentence, text, "what it says")

    put_dump(place, "2026-01-01-00:10", when + 600)
    first = put_dump(place, "2026-01-01-00:00", when + 1)
    machine.marker(when)
    status, told = machine.told()
    expect(status == 0 and told["outcome"] == "captured" and told["dump"]["path"] == first and
           told["dump"]["panic_line"] == PANIC and told["seconds"] == 30, "%d: %s" % (status, told))
    expect(not machine.is_marked(), "the marker is still there")

    put_dump(place, "2026-01-02-00:00", when + 86400, "incomplete", HOSTILE)
    machine.marker(when + 86399)
    machine.write("proc/stat", "cpu 1\nbtime %d\n" % (when - 999))  # another clock
    status, text, _ = machine.ctl("test", "--result")
    expect(status == 3 and "s from the crash" not in text, "exit status %d: %s" % (status, text))
    for sentence in ("NOT wholly captured: incomplete", "Why: no space is left"):
        expect_in(sentence, text, "what it says")


@test("control/test-notice", "control")
def notice():
    """The notice at boot tells of it once; the result is still there after further boots."""
    machine = Machine("notice")
    when = 1767225600
    machine.marker(when)
    status, _, said = machine.ctl("notice")
    expect(status == 0, "exit status %d: %s" % (status, said))
    expect_in("NO DUMP came of it", said, "the notice")
    expect_in("NO DUMP came of it", machine.read("run/motd.d/vmcore-save"), "the message")
    expect(machine.ctl("notice")[2] == "", "it is told twice")
    machine.write("proc/stat", "btime %d\n" % (when + 5000))
    machine.write(BOOT_ID, AFTER.replace("2", "3"))
    put_dump(machine.path("var/crash"), "2026-01-01-00:00", when + 2)
    told = json.loads(machine.ctl("notice", "--json")[1])
    expect(told["test"] is None and len(told["dumps"]) == 1, "told %s" % told)
    status, told = machine.told()
    expect(status == 0 and told["seconds"] == 30, "%d: %s" % (status, told))
    machine.marker(when)
    told = json.loads(machine.ctl("notice", "--json")[1])
    expect_in("Test crash at 2026-01-01 00:00:00 UTC: captured: complete", told["test"],
              "the notice")


@test("trial/crash", "trial", long=True)
def real():
    """A machine that vmcorectl has armed and crashed tells at its next boot that it was captured."""
    kernel = vm.Kernel("6.1-cloud")
    folder = vm.fresh_dir(cores.out_dir("trial"))
    built = crash_image.image_build(kernel, os.path.join(folder, "crash.img"))
    files = {"etc/vmcore-save.conf": "path /var/crash\n",  # the image names the disk
             "etc/default/vmcore-save": "KERNEL_APPEND_EXTRA=no_timer_check\n",
             "sbin/vmcore-save-dracut": '#!/bin/sh\ncp /mnt/boot/crash.img "$3"\n'}
    for name, text in files.items():
        path = os.path.join(folder, os.path.basename(name))
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)
        files[name] = path
    files["sbin/vmcorectl"] = os.path.join(vm.build_dir(), "vmcorectl")
    files["boot/vmlinuz-" + kernel.release] = kernel.vmlinuz
    machine = crash_image.Machine(os.path.join(folder, "machine"), kernel, script="trial.sh",
                                  image=built, accel=cores.accel())
    machine.prepare(size="1G", files=files.items())
    machine.run()
    told = {name: machine.vm.value(name) for name in ("start", "notice", "result", "again")}
    expect(told["start"].startswith("0 "), "start: %s" % machine.vm.results)
    expect(told["notice"].startswith("0 ") and "captured: complete" in told["notice"],
           "notice: %s" % told["notice"])
    status, text = told["result"].split(" ", 1)
    result_told = json.loads(text)
    expect(status == "0" and result_told["outcome"] == "captured" and
           0 < result_told["seconds"] < 300, "the result is %s" % told["result"])
    expect_in("sysrq triggered crash", result_told["dump"]["panic_line"], "the panic line")
    expect(result_told["dump"]["path"].startswith("/mnt/var/crash/"), "%s" % result_told)
    expect(told["again"].startswith("1 "), "the result is told twice: %s" % told["again"])
    os.unlink(machine.disk.path)
