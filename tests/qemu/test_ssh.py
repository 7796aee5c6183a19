# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps over ssh: a stock kernel panics, and OpenSSH's server on this machine takes the dump,
or does not, in ways that each end in a reboot and the truth."""

import hashlib
import json
import os
import re
import subprocess
import threading
import time

import cores
import crash
import kdump_format
import readers
import sshd
import vm
from harness import expect, expect_in, once, test

KERNEL = cores.KERNELS[0]
BOUND_S = 200  # from the capture kernel's first line to its reboot, on a slow emulator
HOST = "10.0.2.2"  # this machine's loopback, as QEMU's user network has it
NETWORK = ["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0"]
IP = "ip 10.0.2.15::10.0.2.2:255.255.255.0::eth0:none"  # test_net.py has the other ways
MANIFEST = "vmcore-save.json"

CAT_FULL = """#!/bin/sh
# A disk that has room for 2 MiB of a dump, and for all that is smaller.
PATH=/usr/bin:/bin
head -c 2097152
head -c 1 | grep -q . || exit 0
echo "cat: write error: No space left on device" >&2
exit 1
"""


class World:
    """The client's key, the servers' ports and directories, and the image that knows them."""

    def __init__(self):
        self.home = vm.fresh_dir(cores.out_dir("ssh-home"))
        self.key = sshd.key_make(os.path.join(self.home, "key"))
        self.host_key = sshd.key_make(os.path.join(self.home, "host"))
        self.ports = [sshd.free_port() for _ in range(3)]
        conf = "sshkey %s\nextra_modules virtio_net\n%s\n" % (self.key, IP)
        os.mkdir(os.path.join(self.home, ".ssh"))
        with open(os.path.join(self.home, ".ssh", "known_hosts"), "w", encoding="ascii") as f:
            for i, port in enumerate(self.ports):
                f.write("[%s]:%d %s" % (HOST, port, sshd.public(self.host_key)))
                conf += "ssh %s@%s:%d\npath %s\nmount_options ConnectTimeout=20\n" % (
                    sshd.user(), HOST, port, self.folder(i))
        os.makedirs(cores.out_dir(), exist_ok=True)
        self.image = crash.image_build(cores.kernel(KERNEL), cores.out_dir("ssh.img"),
                                       conf + crash.CONF, home=self.home)

    def folder(self, i):
        """A name that shells split and quotes end, unless somebody takes care."""
        return os.path.join(self.home, "%d's var $crash" % i)

    def server(self, i, authorized=None, host_key=None):
        return sshd.Server(self.ports[i], self.folder(i), authorized or sshd.public(self.key),
                           host_key or self.host_key)


@once
def world():
    return World()


class Capture:
    """One panic. The image has three servers as targets, and behind them the machine's disk."""

    def __init__(self, name, on_line=None, **parameters):
        parameters["CRASH_APPEND"] = crash.CRASH_APPEND + " vmcore_save.device_timeout=3"
        self.machine = crash.Machine(cores.out_dir("ssh-" + name), cores.kernel(KERNEL),
                                     parameters=parameters, image=world().image,
                                     accel=cores.accel(), on_line=on_line)
        self.machine.vm.argv += NETWORK
        self.machine.prepare(size="1G")
        self.machine.run()
        times = [at for at, text in self.machine.vm.lines if "Linux version " in text]
        expect(len(times) == 3, "%d kernels booted, not three" % len(times))
        expect(times[2] - times[1] < BOUND_S, "the reboot came after %.0f s" %
               (times[2] - times[1]))
        self.console = "\n".join(t for at, t in self.machine.vm.lines
                                 if times[1] <= at < times[2] and "vmcore-save" in t)

    def local(self):
        """The directory on the machine's disk."""
        folders = self.machine.extract()
        expect(len(folders) == 1, "%d folders on the disk, not one" % len(folders))
        return folders[0]

    def done(self):
        os.unlink(self.machine.disk.path)


def manifest_of(folder):
    with open(os.path.join(folder, MANIFEST), encoding="utf-8") as f:
        return json.load(f)


def expect_files(folder, names):
    there = sorted(os.listdir(folder))
    expect(there == sorted(names), "the files are %s" % there)


def expect_private(folder):
    for name in [folder] + [os.path.join(folder, n) for n in os.listdir(folder)]:
        mode = os.stat(name).st_mode & 0o777
        expect(mode == (0o700 if os.path.isdir(name) else 0o600), "%s has mode %o" % (name, mode))


def expect_local_dump(capture):
    """What no server has taken is complete on the disk, and opens."""
    folder = capture.local()
    expect_files(folder, ["vmcore", "vmcore-dmesg.txt", MANIFEST])
    manifest = manifest_of(folder)
    expect(manifest["verdict"] == "complete", "the verdict is %s" % manifest["verdict"])
    expect_in("x86_64 " + cores.kernel(KERNEL).release,
              readers.libkdumpfile(os.path.join(folder, "vmcore")), "libkdumpfile")
    return manifest


def expect_opens(stream):
    """The stream as it is in crash, and what the peer's -R makes of it in libkdumpfile."""
    kernel = cores.kernel(KERNEL)
    out = readers.crash(kernel, stream, ["sys", "bt"])
    expect_in(kernel.release, out["sys"], "crash's sys")
    expect_in("sysrq", out["bt"], "crash's bt")
    rearranged = stream + ".vmcore"
    readers.rearrange(kernel, stream, rearranged)
    expect_in("x86_64 " + kernel.release, readers.libkdumpfile(rearranged), "libkdumpfile")
    dump = kdump_format.KdumpFile(rearranged)
    expect(not dump.status & kdump_format.INCOMPLETE, "the dump is marked incomplete")
    dump.close()
    os.unlink(rearranged)


def errors_of(manifest, step):
    """What the failures of a step say, in the order of the targets."""
    return [s["error"] for s in manifest["steps"]
            if s["name"] == step and s["outcome"] == "failed"]


def only_folder(server):
    folders = server.folders()
    expect(len(folders) == 1, "%d folders on the server, not one\n%s" %
           (len(folders), server.log_text()))
    return folders[0]


def expect_cut(folder, reason):
    """A dump that is not whole and does not claim to be."""
    expect_files(folder, ["vmcore-incomplete", "vmcore-dmesg.txt", MANIFEST])
    expect_private(folder)
    manifest = manifest_of(folder)
    expect(manifest["verdict"] == "incomplete", "the verdict is %s" % manifest["verdict"])
    expect_in(reason, str(manifest["reason"]), "the manifest's reason")


@test("ssh/saves", "ssh")
def saves():
    with world().server(0) as server:
        capture = Capture("saves")
        folder = only_folder(server)
        expect(re.fullmatch(r"127\.0\.0\.1-\d{4}-\d\d-\d\d-\d\d:\d\d",
                            os.path.basename(folder)), "the folder is %s" % folder)
        expect_files(folder, ["vmcore.flat", "vmcore-dmesg.txt", MANIFEST])
        expect_private(folder)
        stream = os.path.join(folder, "vmcore.flat")
        expect_opens(stream)
        manifest = manifest_of(folder)
        with open(stream, "rb") as f:
            digest = hashlib.sha256(f.read()).hexdigest()
        expect(manifest["verdict"] == "complete", "the verdict is %s" % manifest["verdict"])
        expect(manifest["dump"]["sha256"] == digest, "the manifest has another digest")
        expect(manifest["files"]["dump_bytes"] == os.path.getsize(stream), "and another size")
        with open(os.path.join(folder, "vmcore-dmesg.txt"), encoding="utf-8",
                  errors="replace") as f:
            expect_in("sysrq: Trigger a crash", f.read(), "the saved log")
    # The others get the log where they can be reached.
    expect_files(capture.local(), ["vmcore-dmesg.txt", MANIFEST])
    capture.done()


BUILD = """
cd "$1" && . ./config.sh && . ./ssh.sh
vmcore_bin=$4
vmcore_problem() { echo "$*" >&2; }
vmcore_install() { echo "install $*"; }
inst_binary() { echo "binary $*"; }
inst_library() { :; }
vmcore_conf=$2 initdir=$3 hostonly=yes
mkdir -p "$3/etc"
vmcore_read_config && read -ra words <<< "$(vmcore_setting target)" || exit
vmcore_take_target "${words[@]:1}"
vmcore_target_ssh
"""


def build(home, host, key):
    """The ssh part of the dracut module, by itself; returns (exit status, what it said)."""
    conf = os.path.join(home, "conf")
    with open(conf, "w", encoding="ascii") as f:
        f.write("ssh root@%s\nsshkey %s\n" % (host, key))
    done = subprocess.run(
        ["bash", "-c", BUILD, "bash",
         os.path.join(vm.TOP, "dracut-module", "99vmcore-save"), conf,
         os.path.join(home, "image"), os.path.join(vm.build_dir(), "vmcore-save")], env=dict(os.environ, HOME=home), encoding="utf-8",
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@test("ssh/build-refuses", "ssh")
def build_refuses():
    """What could only fail at the crash is said when the image is built."""
    home = vm.fresh_dir(cores.out_dir("ssh-refused"))
    key = sshd.key_make(os.path.join(home, "key"))
    locked = os.path.join(home, "locked")
    vm.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", locked])
    os.mkdir(os.path.join(home, ".ssh"))
    with open(os.path.join(home, ".ssh", "known_hosts"), "w", encoding="ascii") as f:
        f.write("%s %s" % (HOST, sshd.public(key)))
        f.write("[2001:db8::1]:2222 %s" % sshd.public(key))
    vm.run(["ssh-keygen", "-q", "-H", "-f", os.path.join(home, ".ssh", "known_hosts")])
    for host in (HOST, HOST + ":22", "[2001:db8::1]:2222"):
        status, text = build(home, host, key)
        expect(status == 0, "%s was refused: %s" % (host, text))
        expect_in("install %s /etc/vmcore-save/ssh/key 0600" % key, text, "what was done")
    with open(os.path.join(home, "image/etc/vmcore-save/ssh/known_hosts"), encoding="ascii") as f:
        expect(len(f.read().splitlines()) == 2, "not the host keys of two servers")
    for host, keyfile, says in (
            (HOST, locked, "without a passphrase"),
            (HOST, os.path.join(home, "none"), "there is no key"),
            (HOST + ":2222", key, "no host key of [%s]:2222 is known" % HOST),
            ("2001:db8::1", key, "no host key of 2001:db8::1 is known"),
            (HOST + ":x", key, "is not a port")):
        status, text = build(home, host, keyfile)
        expect(status != 0, "%s with %s was taken" % (host, keyfile))
        expect_in(says, text, "what the build says")


@test("ssh/refusals", "ssh")
def refusals():
    """No server at all, one with another host key, one that does not know our key."""
    other = sshd.key_make(os.path.join(vm.fresh_dir(cores.out_dir("ssh-other")), "key"))
    with world().server(1, host_key=other) as impostor, \
            world().server(2, authorized=sshd.public(other)) as stranger:
        capture = Capture("refusals")
        expect(not impostor.folders() and not stranger.folders(), "something was sent")
        expect("Accepted" not in impostor.log_text(), "the impostor was given the key")
        expect("publickey" not in impostor.log_text(), "the impostor was offered the key")
    errors = errors_of(expect_local_dump(capture), "target")
    expect(len(errors) == 3, "the failed targets are %s" % errors)
    for error, says in zip(errors, ("Connection refused", "Host key verification failed",
                                    "Permission denied (publickey)")):
        expect_in(says, error, "the target's error")
        expect_in(says, capture.console, "the console")
    capture.done()


@test("ssh/server-stops", "ssh", long=True)
def server_stops():
    """The server hangs in the middle of the dump: the client gives up, the disk takes it."""
    with world().server(0) as server:
        stopped = []

        def watch():
            while not stopped and server.process.poll() is None:
                for folder in server.folders():
                    path = os.path.join(folder, "vmcore-incomplete")
                    if os.path.exists(path) and os.path.getsize(path) >= 1 << 20:
                        server.stop()
                        stopped.append(path)
                time.sleep(0.05)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        capture = Capture("stops", FILL="1")
        expect(stopped, "no dump of 1 MiB was under way")
        folder = only_folder(server)
        expect_cut(folder, "still under way")
    manifest = expect_local_dump(capture)
    expect_in("not responding", " / ".join(errors_of(manifest, "dump")), "the dump's error")
    capture.done()


@test("ssh/disk-full", "ssh")
def disk_full():
    with world().server(0) as server:
        server.program("cat", CAT_FULL)
        capture = Capture("full", FILL="1")
        folder = only_folder(server)
        expect_cut(folder, "No space left on device")
    manifest = expect_local_dump(capture)
    expect_in("No space left on device", " / ".join(errors_of(manifest, "dump")),
              "the dump's error")
    capture.done()
