# SPDX-License-Identifier: GPL-2.0-or-later
"""Hooks, earlier dumps that make room, the hardware watchdog and the cluster's nodes, each in a
real capture of the worlds' shared image; the watchdog's need a driver that its kernel lacks."""

import os
import shutil
import socket
import struct
import subprocess

import cores
import crash
import test_failure
import vm
import worlds
from harness import expect, expect_in, once, test
from worlds import fault, manifest

KERNEL = "6.12-cloud"  # its cloud flavour has the driver of a watchdog that QEMU has
WATCHDOG_S = 60  # what vmcore-save asks for
WATCHDOG_BOUND_S = worlds.BOUND_S + WATCHDOG_S + 40

EARLIER = """#!/bin/sh
# Captures of earlier days, as the program leaves them.
for day in 2020-01-01-00:00 2020-01-02-00:00 2020-01-03-00:00; do
	mkdir "$VMCORE_SAVE_DIR/../$day"
	cd "$VMCORE_SAVE_DIR/../$day"
	dd if=/dev/zero of=vmcore bs=1048576 count=%(mib)d 2>/dev/null
	sed 's/"verdict": "[a-z-]*"/"verdict": "complete"/' "$VMCORE_SAVE_DIR/vmcore-save.json" \\
		>vmcore-save.json
done
mkdir "$VMCORE_SAVE_DIR/../2020-01-01-00:01" # not ours
sync
"""
# PID 1 and the guard do not run any more; the worker does.
FREEZE = """#!/bin/sh
mkdir /cgroup
mount -t cgroup2 none /cgroup || exit 1
mkdir /cgroup/frozen
for stat in /proc/[0-9]*/stat; do
	read -r pid name rest <"$stat"
	case $pid$name in
	1\\(* | *vmcore-guard*) echo "$pid" >/cgroup/frozen/cgroup.procs ;;
	esac
done
echo 1 >/cgroup/frozen/cgroup.freeze
echo "PID 1 is frozen"
"""


@once
def image():
    os.makedirs(cores.out_dir(), exist_ok=True)
    return crash.image_build(cores.kernel(KERNEL), cores.out_dir("hooks.img"),
                             crash.CONF + "extra_modules i6300esb\n")


def entries_of(files):
    """(name, mode, contents) of {name: contents}, executables all, and of their folders."""
    entries = {}
    for name, data in files.items():
        parts = name.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            entries.setdefault(folder, (folder, 0o40755, b""))
        data = data if isinstance(data, bytes) else data.encode()
        entries[name] = (name, 0o100755, data)
    return list(entries.values())


def world(what, files, append="", **kwargs):
    return worlds.World("hooks-" + what, append, overlay=entries_of(files), **kwargs)


def world_with_watchdog(what, files, append=""):
    return world(what, files, append, kernel=KERNEL, base=image(), bound=WATCHDOG_BOUND_S,
                 qemu=["-device", "i6300esb", "-watchdog-action", "reset"])


def step(told, name):
    found = [s for s in told["steps"] if s["name"] == name]
    expect(found, "no step %s in the manifest" % name)
    return found[-1]


def own_folder(world_):
    folders = [f for f in world_.folders() if not os.path.basename(f).startswith("2020")]
    expect(len(folders) == 1, "%d folders of this capture, not one" % len(folders))
    return folders[0]


def read_text(*path):
    with open(os.path.join(*path), encoding="utf-8", errors="replace") as f:
        return f.read()


def expect_order(console, *needles):
    at = -1
    for needle in needles:
        new = console.find(needle, at + 1)
        expect(new > at, "%r does not follow in\n%s" % (needle, console))
        at = new


@test("hooks/before-and-after", "hooks")
def before_and_after():
    """All kinds of them: well, failing, flooding, endless, and what the one behind sees."""
    w = world("around", {
        "hooks/pre": "#!/bin/sh\necho hello from pre $#\n",
        "etc/kdump/pre.d/10-fails": "#!/bin/sh\nexit 3\n",
        "etc/kdump/pre.d/20-floods": "#!/bin/sh\ni=0; while [ $i -lt 999 ]; do echo flood; "
                                      "i=$((i + 1)); done\n",
        "etc/kdump/pre.d/30-daemon": "#!/bin/sh\nsetsid sleep 1000 &\nexit 0\n",
        "etc/kdump/post.d/10-endless": "#!/bin/sh\nsleep 1000 &\nwhile :; do sleep 100; done\n",
        "hooks/post": "#!/bin/sh\ncd $VMCORE_SAVE_DIR && ls vmcore && sync && "
                      "echo $1 $VMCORE_SAVE_VERDICT $VMCORE_SAVE_TARGET $VMCORE_SAVE_MOUNT "
                      "$VMCORE_SAVE_DUMP >seen && cp vmcore-save.json seen.json\n",
    }, "vmcore_save.kdump_pre=/hooks/pre vmcore_save.kdump_post=/hooks/post "
       "vmcore_save.hook_timeout=4")
    expect_order(w.console, "pre: hello from pre 0", "10-fails exited with status 3",
                 "20-floods: flood", "the rest is not shown", "30-daemon", "vmcore saved",
                 "10-endless was not done after 4 s and was killed", "/hooks/post 0", "complete")
    w.says("10-fails exited", "rest is not shown", "10-endless was not done").ends("complete")
    expect("reboot failed" not in w.console, "reboot(2) did not do it")
    floods = w.console.count("20-floods: flood")
    expect(floods == 100, "%d lines of a flood were shown, not 100" % floods)
    folder = w.folder()
    expect(read_text(folder, "seen") == "0 complete LABEL=vmcore-test /target vmcore\n",
           "kdump_post saw %r" % read_text(folder, "seen"))
    expect_in('"verdict": "complete"', read_text(folder, "seen.json"), "what kdump_post found")
    told = manifest(folder)
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    expect_in("status 3", step(told, "pre")["error"], "the step pre")
    expect_in("10-endless", step(told, "post")["error"], "the step post")
    w.done()


@test("hooks/pre-wants-no-dump", "hooks")
def pre_wants_no_dump():
    w = world("refused", {
        "hooks/pre": "#!/bin/sh\nexit 9\n",
        "etc/kdump/pre.d/10-not-run": "#!/bin/sh\necho pre.d runs\n",
        "hooks/other": "#!/bin/sh\necho some other hook runs\n",
    }, "vmcore_save.kdump_pre=/hooks/pre vmcore_save.kdump_post=/hooks/other "
       "vmcore_save.kdump_emergency=/hooks/other vmcore_save.failure_action=halt")
    w.says("no dump is wanted").ends("log-only", "exited with status 9")
    expect("hook runs" not in w.console and "pre.d runs" not in w.console, "more hooks ran")
    expect(w.names() == ["vmcore-dmesg.txt", "vmcore-save.json"], "the files are %s" % w.names())
    told = manifest(w.folder())
    expect(told["verdict"] == "log-only", "the verdict is %s" % told["verdict"])
    expect_in("/hooks/pre exited with status 9: no dump is wanted", told["reason"],
              "the manifest's reason")
    w.done()


@test("hooks/failure", "hooks")
def failure():
    """No dump: kdump_post gets a 1, and then the emergency hooks run."""
    w = world("failure", {
        "hooks/post": "#!/bin/sh\necho post gets $1 $VMCORE_SAVE_VERDICT\n",
        "etc/kdump/emergency.d/10-first": "#!/bin/sh\necho in emergency.d\n",
        "hooks/emergency": "#!/bin/sh\necho $VMCORE_SAVE_VERDICT since $VMCORE_SAVE_REASON\n"
                           "kill -9 $$\n",
    }, "vmcore_save.vmcore=/nonexistent vmcore_save.kdump_post=/hooks/post "
       "vmcore_save.kdump_emergency=/hooks/emergency")
    w.says("cannot open /nonexistent", "post gets 1 failed", "died of signal 9")
    w.ends("failed", "/nonexistent")
    expect_order(w.console, "post gets 1 failed", "in emergency.d",
                 "failed since cannot open /nonexistent", "died of signal 9", "done:")
    expect_in("/nonexistent", manifest(w.folder())["reason"], "the manifest's reason")
    w.done()


@test("hooks/after-a-killed-saver", "hooks")
def after_a_killed_saver():
    w = world("killed", {
        "hooks/post": "#!/bin/sh\necho $1 $VMCORE_SAVE_VERDICT >$VMCORE_SAVE_DIR/seen\n",
        "hooks/emergency": "#!/bin/sh\necho emergency after $VMCORE_SAVE_VERDICT\n",
    }, "vmcore_save.kdump_post=/hooks/post vmcore_save.kdump_emergency=/hooks/emergency",
       parameters={"FILL": "1"}, script=test_failure.SIGNAL_IN_DUMP % "KILL")
    w.says("died of signal 9", "emergency after incomplete").ends("incomplete", "signal 9")
    folder = w.folder()
    expect(read_text(folder, "seen") == "1 incomplete\n", "kdump_post saw %r" %
           read_text(folder, "seen"))
    told = manifest(folder)
    expect_in("signal 9", told["reason"], "the manifest's reason")
    expect(step(told, "post")["outcome"] == "ok", "the step post is not told")
    w.done()


@fault("hooks/after-max-time", "max_time, 30 s, is over, and the hooks after it never end",
       group="hooks")
def after_max_time():
    """What comes then has 5 s each, not the 100 s of hook_timeout."""
    endless = "#!/bin/sh\nwhile :; do sleep 100; done\n"
    w = world("late", {"hooks/post": endless, "hooks/emergency": endless},
              "vmcore_save.max_time=30 vmcore_save.hook_timeout=100 "
              "vmcore_save.kdump_post=/hooks/post vmcore_save.kdump_emergency=/hooks/emergency",
              parameters={"FILL": "1"}, script=test_failure.SIGNAL_IN_DUMP % "STOP")
    w.says("more than max_time", "/hooks/post was not done after 5 s",
           "/hooks/emergency was not done after 5 s")
    w.ends("incomplete", "max_time")
    seconds = float(worlds.LINE.search([t for t in w.lines if " done: " in t][-1])[1])
    expect(30 < seconds < 60, "the end came %.0f s after the start" % seconds)
    return w


def days(w):
    return sorted({f.split("/")[1] for f in w.files if f.startswith("./2020")})


@test("retain/keeps-the-youngest", "hooks")
def keeps_the_youngest():
    w = world("retain", {"hooks/pre": EARLIER % {"mib": 2}},
              "vmcore_save.kdump_pre=/hooks/pre vmcore_save.keep_dumps=2")
    expect(days(w) == ["2020-01-01-00:01", "2020-01-03-00:00"], "what stays is %s" % days(w))
    told = manifest(own_folder(w))
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    expect(step(told, "retain")["outcome"] == "ok", "the step retain did not go well")
    w.done()


@test("retain/makes-room", "hooks")
def makes_room():
    """Without room for the dump the oldest one goes before it, and no more than needed."""
    w = world("room", {"hooks/pre": EARLIER % {"mib": 30}},
              "vmcore_save.kdump_pre=/hooks/pre vmcore_save.keep_dumps=9",
              parameters={"FILL": "1", "PAGE_CACHE_MIB": "8", "LEAVE_MIB": "100"})
    expect_order(w.console, "room: removed the earlier capture 2020-01-01-00:00", "vmcore saved")
    expect("2020-01-03-00:00" in days(w), "the youngest one has gone as well")
    told = manifest(own_folder(w))
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    w.done()


@fault("watchdog/fires", "PID 1 and the guard stand still", group="hooks")
def watchdog_fires():
    """PID 1 and the guard stand still: nothing in the machine would reboot it."""
    w = world_with_watchdog("wedged", {"hooks/pre": FREEZE}, "vmcore_save.kdump_pre=/hooks/pre")
    w.says("watchdog i6300ESB timer: resets the machine if not fed for %d s" % WATCHDOG_S,
           "PID 1 is frozen")
    expect("done:" not in w.console, "PID 1 got as far as to reboot")
    expect(w.seconds > WATCHDOG_S / 2, "a reboot after %.0f s was not the watchdog's" % w.seconds)
    told = manifest(w.folder())
    expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
    return w


@test("watchdog/fed-while-a-hook-takes-long", "hooks", long=True)
def watchdog_fed():
    w = world_with_watchdog("fed", {"hooks/post": "#!/bin/sh\nsleep 75\necho still here\n"},
                            "vmcore_save.kdump_post=/hooks/post vmcore_save.hook_timeout=100")
    expect_order(w.console, "watchdog i6300ESB", "still here", "done:")
    w.done()


@fault("watchdog/second-panic", "The capture kernel panics itself", group="hooks")
def second_panic():
    """The capture kernel panics itself, and what it had saved says that it is not all."""
    w = world("panic", {"hooks/pre": "#!/bin/sh\nsync\necho c >/proc/sysrq-trigger\n"},
              "vmcore_save.kdump_pre=/hooks/pre")
    w.says("running /hooks/pre")
    expect("done:" not in w.console, "the capture went on")
    told = manifest(w.folder())
    expect(told["verdict"] in ("log-only", "failed"), "the verdict is %s" % told["verdict"])
    expect_in("still under way", told["reason"], "the manifest's reason")
    expect("vmcore" not in w.names(), "a vmcore came from nowhere")
    return w


def unpack(path, directory):
    with open(path, "rb") as f:
        archive = subprocess.run(["zstd", "-dcq"], stdin=f, stdout=subprocess.PIPE, check=True)
    subprocess.run(["cpio", "-idm", "--quiet", "--no-absolute-filenames"], cwd=directory,
                   input=archive.stdout, check=True)


def run_inside(directory, *argv):
    """A program of an image, with nothing else around it: (exit status, what it says)."""
    become = [] if os.geteuid() == 0 else ["unshare", "-r"]
    done = subprocess.run([*become, "/usr/sbin/chroot", directory, *argv], encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@test("hooks/in-the-image", "hooks image")
def in_the_image():
    """What the dracut module takes along runs with nothing but the image around it."""
    directory = vm.fresh_dir(cores.out_dir("hooks-image"))
    hooks = {"bash": "#!/bin/bash\n[[ $BASH_VERSION ]] && echo bash runs\n",
             "env": "#!/usr/bin/env sh\necho env runs\n", "dash": "#! /bin/dash -e\necho dash runs\n",
             "odd": "#!/nonexistent/interpreter\n"}
    for name, text in hooks.items():
        hooks[name] = os.path.join(directory, name)
        with open(hooks[name], "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(hooks[name], 0o755)
    out = os.path.join(directory, "crash.img")
    crash.image_build(cores.kernel(KERNEL), out, crash.CONF +
                      "kdump_pre %(bash)s\nkdump_post %(env)s\nkdump_emergency %(dash)s\n" % hooks)
    root = vm.fresh_dir(os.path.join(directory, "root"))
    unpack(out, root)
    for name in ("bash", "env", "dash"):
        got = run_inside(root, hooks[name])
        expect(got == (0, name + " runs\n"), "%s: %s" % (name, got))
    modules = read_text(root, "etc/vmcore-save/modules")
    expect(modules.find("i6300esb") < modules.find("virtio_blk"), "the watchdog is not the first")
    os.chmod(hooks["env"], 0o644)
    for name, sentence in (("odd", "no interpreter /nonexistent/interpreter"),
                           ("env", "is not an executable file"),
                           ("missing", "is not an executable file")):
        try:
            crash.image_build(cores.kernel(KERNEL), out, crash.CONF + "kdump_pre %s\n" %
                              os.path.join(directory, name))
        except vm.VmError as e:
            expect_in(sentence, str(e), "what the build says of %s" % name)
        else:
            expect(False, "an image was built with the hook %s" % name)
    shutil.rmtree(directory)


@test("pstore/erst", "hooks")
def pstore_erst():
    """Where the machine's firmware keeps records (ERST), the capture's own log is among them
    after the reboot: the next system's kernel has it in /sys/fs/pstore."""
    nvram = cores.out_dir("erst.nvram")
    if os.path.exists(nvram):
        os.unlink(nvram)
    w = world("erst", {}, parameters={"PSTORE": "1"}, qemu=[
        "-object", "memory-backend-file,id=erst,mem-path=%s,size=64K,share=on" % nvram,
        "-device", "acpi-erst,memdev=erst"])
    w.says("this log goes to pstore (erst)").ends("complete")
    kept = "\n".join(line[7:] for line in w.machine.vm.results if line.startswith("pstore "))
    expect_in("vmcore-save[", kept, "what the next kernel has in pstore")
    expect_in("done: complete", kept, "what the next kernel has in pstore")
    w.done()
    os.unlink(nvram)


@test("fence/datagram", "hooks")
def fence_datagram():
    """fence_kdump's agent waits for this: sent as soon as there is a network, and again."""
    files, lines = {}, []
    for path in cores.kernel(worlds.KERNEL).module_files(("virtio_net",)):
        name = "net/%s.ko" % os.path.basename(path).split(".ko")[0]
        files[name] = vm.unpack_module(path)
        lines.append("insmod /%s" % name)
    # The network comes late, by other hands.
    files["hooks/pre"] = "\n".join(["#!/bin/sh", *lines, "ip link set eth0 up",
                                    "ip addr add 10.0.2.15/24 dev eth0", "sleep 4", ""])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(1)
        w = world("fence", files, "vmcore_save.kdump_pre=/hooks/pre "
                  "vmcore_save.fence_kdump_nodes=10.0.2.2 "
                  'vmcore_save.fence_kdump_args="-p %d -i 1"' % sock.getsockname()[1],
                  qemu=["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0"])
        got = []
        try:
            while True:
                got.append(sock.recv(100))
        except socket.timeout:
            pass
    w.says("fence_kdump: told 10.0.2.2")
    expect(len(got) >= 2, "%d datagrams came, not two or more" % len(got))
    expect(set(got) == {struct.pack("<II", 0x1b302a40, 1)}, "the datagrams are %s" % set(got))
    w.ends("complete")
    w.done()
