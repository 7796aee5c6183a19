# SPDX-License-Identifier: GPL-2.0-or-later
"""The newcomer's first hour: the package on an installed Debian, from `apt install` to the
dump, by way of firmware and GRUB, and what comes after it."""

import glob
import json
import os
import shutil

import cores
import installed
import readers
import vm
from harness import expect, expect_in, once, test

# What is typed, boot by boot.
STEPS = r"""
case $step in
0)
	say grub grub-install /dev/vda
	say default-grub update-grub
	cp /boot/grub/grub.cfg /root/grub.cfg.before
	say install apt-get -y install /root/vmcore-save.deb
	say setup vmcorectl setup
	say grub-has grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg
	finish 0
	;;
1)
	say cmdline cat /proc/cmdline
	say unit systemctl is-active vmcore-save.service
	say status vmcorectl status --json
	say check vmcorectl check
	say fresh bash -c 'time -p vmcorectl start'
	sync
	echo c >/proc/sysrq-trigger
	finish 1
	;;
2)
	say list vmcorectl list --json
	say listed vmcorectl list
	say show vmcorectl show
	say verify vmcorectl show --verify
	say notice cat /run/motd.d/vmcore-save
	say again vmcorectl status
	echo 'path /var/crash2' >/etc/vmcore-save.conf
	say stale vmcorectl status
	say restart systemctl restart vmcore-save.service
	say rebuilt vmcorectl status
	say kernel cp -a /boot/vmlinuz-"$(uname -r)" /root/vmlinuz
	say remove vmcorectl setup --remove
	say removed grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg
	say purge apt-get -y purge vmcore-save
	say same-grub diff /root/grub.cfg.before /boot/grub/grub.cfg
	say left find / -xdev -not -path '/proc/*' -not -path '/root/*' -not -path '/var/lib/dpkg/*' \
		-not -path '/var/log/*' -name '*vmcore*'
	finish 0
	;;
esac
"""


@once
def package():
    vm.run(["make", "-s", "-C", vm.TOP, "deb", "O=" + vm.build_dir()],
           env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck"))
    return glob.glob(os.path.join(vm.build_dir(), "deb", "vmcore-save_*.deb"))[0]


def well(machine, *keys):
    for key in keys:
        text, status = machine.said(key)
        expect(status == 0, "%s ends with %d: %s" % (key, status, text[-1500:]))


def first_hour(suite):
    machine = installed.Installed(cores.out_dir("installed-" + suite), suite, STEPS,
                                  {"root/vmcore-save.deb": package()})
    machine.boot(loader=False)
    well(machine, "grub", "install", "setup")
    expect_in("crashkernel=", machine.said("grub-has")[0], "GRUB's configuration")
    machine.boot()
    expect(machine.vm.value("STEP") == "1", "the machine did not come back")
    boots = sum("Linux version " in text for _, text in machine.vm.lines)
    expect(boots == 3, "%d kernels booted, not system, capture, system" % boots)
    return machine


def after_the_panic(machine):
    """The last boot's words; the steps of the boot before are lost with it, but on the port."""
    well(machine, "unit", "status", "check", "fresh", "list", "show", "verify", "notice", "again",
         "restart", "rebuilt", "remove", "purge", "same-grub")
    listed = json.loads(machine.said("list")[0])
    expect_in("complete", json.dumps(listed), "the list")
    expect_in("sysrq triggered crash", machine.said("notice")[0], "the notice")
    expect(machine.said("stale")[1] == 0, "status: %s" % (machine.said("stale"),))
    expect_in("/etc/vmcore-save.conf", machine.said("stale")[0], "why the image is stale")
    expect(machine.said("removed")[1] == 1, "crashkernel= is still there")
    left = [line for line in machine.said("left")[0].splitlines()
            if not line.startswith("/var/crash")]
    expect(not left, "purge left " + " ".join(left))


def dump_opens(machine):
    out = machine.disk.extract("/var/crash", os.path.join(machine.dir, "crash"))
    found = glob.glob(os.path.join(out, "*", "vmcore"))
    expect(len(found) == 1, "the dumps are %s" % found)
    _, text = readers.read(readers.libkdumpfile_argv(found[0]))
    expect_in("x86_64 " + machine.release, text, "libkdumpfile")


@test("installed/bookworm", "installed", long=True)
def bookworm():
    machine = first_hour("bookworm")
    after_the_panic(machine)
    dump_opens(machine)
    shutil.rmtree(machine.dir)
