# SPDX-License-Identifier: GPL-2.0-or-later
"""The newcomer's first hour: the package on an installed Debian, from `apt install` to the
dump, by way of firmware and GRUB, and what comes after it: another kernel, another
configuration, the package gone."""

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
other=$(basename /root/kernel/linux-image-*.deb)
other=${other#linux-image-} other=${other%%_*}
# No boot waits for the service.
while [ "$(systemctl is-active vmcore-save.service)" = activating ]; do sleep 1; done
case $step in
0)
	say grub grub-install /dev/vda
	say default-grub update-grub
	say install apt-get -y --no-install-recommends install /root/package/*.deb
	say setup vmcorectl setup
	say grub-has grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg
	finish 0
	;;
1)
	say cmdline cat /proc/cmdline
	say unit systemctl is-active vmcore-save.service
	say status vmcorectl status --json
	say check vmcorectl check
	say fresh vmcorectl start
	say reload vmcorectl start --reload
	say kernel-keeps-list grep -s 1 /sys/devices/system/memory/crash_hotplug
	say hotplug udevadm test --action=online /sys/devices/system/memory/memory1
	say coldplug bash -c 'udevadm trigger --settle --action=add --subsystem-match=cpu; sleep 5
		journalctl -b -u vmcore-save.service'
	panics
	;;
2)
	say list vmcorectl list --json
	say listed vmcorectl list
	say show vmcorectl show
	say verify vmcorectl show --verify
	say notice cat /run/motd.d/vmcore-save
	say again vmcorectl status
	rm /run/motd.d/vmcore-save /var/lib/vmcore-save/told
	say sysv-start /etc/init.d/vmcore-save start
	say sysv-notice bash -c 'for i in {1..100}; do
		[ -s /run/motd.d/vmcore-save ] && break; sleep 0.2; done
		cat /run/motd.d/vmcore-save && sleep 5 &&
		journalctl -b -q -t vmcore-save _TRANSPORT=syslog'
	[ -e /root/kernel ] || finish 0
	uname -r >/root/first-kernel
	say upgrade dpkg -i /root/kernel/*.deb
	say upgraded vmcorectl status --json
	say images ls /boot
	reboots
	;;
3)
	say release uname -r
	say new-unit systemctl is-active vmcore-save.service
	say new-journal journalctl -b -u vmcore-save.service
	say new-status vmcorectl status --json
	say new-check vmcorectl check
	say old-kernel apt-get -y purge "linux-image-$(cat /root/first-kernel)"
	say old-image ls /boot /var/lib/vmcore-save
	say still vmcorectl status --json
	say replaced env DEB_MAINT_PARAMS="'upgrade' '6.1.999-1'" \
		/etc/kernel/postrm.d/vmcore-save "$(uname -r)"
	say not-taken vmcorectl status --json
	echo 'path /var/crash2' >/etc/vmcore-save.conf
	say stale vmcorectl status
	say restart systemctl restart vmcore-save.service
	say rebuilt vmcorectl status --json
	panics
	;;
4)
	say second-list vmcorectl list --json
	say second-notice cat /run/motd.d/vmcore-save
	echo '# another image' >>/etc/vmcore-save.conf
	say reinstall bash -c 'apt-get -y --no-install-recommends --reinstall install \
			/root/package/vmcore-save_*.deb & apt=$!
		armed=0 disarmed=0
		while kill -0 $apt; do
			if grep -q 1 /sys/kernel/kexec_crash_loaded; then
				((++armed))
			else
				((++disarmed))
			fi
			sleep 0.1
		done 2>/dev/null
		wait $apt && echo "samples $armed $disarmed"'
	say reinstalled vmcorectl status --json
	say remove apt-get -y remove vmcore-save
	say disarmed cat /sys/kernel/kexec_crash_loaded
	say kept ls /etc/vmcore-save.conf /etc/default/grub.d/vmcore-save.cfg
	say no-images find /boot -name '*vmcore-save*'
	say hooks bash -c "/etc/kernel/postinst.d/vmcore-save $other &&
		/etc/kernel/postrm.d/vmcore-save $other"
	say sysv sh /etc/init.d/vmcore-save start
	say back apt-get -y --no-install-recommends install /root/package/*.deb
	say armed vmcorectl status --json
	say unset vmcorectl setup --remove
	say removed grep -o 'crashkernel=[^ ]*' /boot/grub/grub.cfg
	say unset-unit systemctl is-enabled vmcore-save.service
	say purge apt-get -y purge vmcore-save
	say left find / -xdev -not -path '/proc/*' -not -path '/root/*' -not -path '/var/lib/dpkg/*' \
		-not -path '/var/log/*' -name '*vmcore*'
	say boot-lines grep -c "^[[:space:]]*linux.*$other" /boot/grub/grub.cfg
	say purged-grub grep -c crashkernel /boot/grub/grub.cfg
	finish 0
	;;
esac
"""


@once
def package():
    vm.run(["make", "-s", "-C", vm.TOP, "deb", "O=" + vm.build_dir()],
           env=dict(os.environ, DEB_BUILD_OPTIONS="nocheck"))
    return glob.glob(os.path.join(vm.build_dir(), "deb", "vmcore-save_*.deb"))[0]


@once
def package_with_needs(suite):
    """A directory with the package and what it depends on and the system lacks."""
    out = vm.fresh_dir(cores.out_dir("package-" + suite))
    shutil.copy(package(), out)
    needs = installed.fetch("missing", suite, installed.root_made(suite), package())
    for deb in glob.glob(os.path.join(needs, "*.deb")):
        shutil.copy(deb, out)
    return out


class Hour(installed.Installed):
    """The hour on one kind of machine. Its times are kept, and not judged."""

    def __init__(self, suite, name, steps=STEPS, files=None, **options):
        self.name = name
        self.kernel = cores.kernel(installed.KERNELS[suite])
        super().__init__(cores.out_dir("installed-" + name), suite, steps,
                         {"root/package": package_with_needs(suite), **(files or {})}, **options)

    def boot(self, loader=True):
        super().boot(loader)
        with open(self.dir + ".times", "a" if loader else "w", encoding="ascii") as f:
            f.writelines("%s %d ms\n" % item for item in self.times().items())

    def well(self, *keys):
        for key in keys:
            text, status = self.said(key)
            expect(status == 0, "%s ends with %d: %s" % (key, status, text[-1500:]))

    def state(self, key):
        self.well(key)
        return json.loads(self.said(key)[0])

    def armed(self, key, release):
        """That status has nothing to find fault with."""
        status = self.state(key)
        expect(status["armed"] and status["release"] == release and
               status["image_state"] == "fresh", "%s: %s" % (key, status))

    def dump(self, folder):
        out = self.disk.extract(folder, os.path.join(self.dir, os.path.basename(folder)))
        found = glob.glob(os.path.join(out, "*", "vmcore"))
        expect(len(found) == 1, "the dumps in %s are %s" % (folder, found))
        return found[0]


def first_hour(machine, kernels):
    machine.boot(loader=False)
    machine.well("grub", "install", "setup")
    expect_in("crashkernel=", machine.said("grub-has")[0], "GRUB's configuration")
    machine.boot()
    expect(machine.vm.value("STEP") == "1", "the machine did not come back")
    boots = sum("Linux version " in text for _, text in machine.vm.lines)
    expect(boots == kernels, "%d kernels booted, not %d" % (boots, kernels))
    up_to_the_panic(machine)
    after_the_panic(machine)


def up_to_the_panic(machine):
    machine.well("unit", "check", "fresh", "reload", "hotplug", "coldplug")
    machine.armed("status", machine.release)
    expect_in("armed: ", machine.said("coldplug")[0], "the journal")
    expect("Reload" not in machine.said("coldplug")[0], machine.said("coldplug")[0])
    reloads = "try-reload-or-restart vmcore-save.service" in machine.said("hotplug")[0]
    expect(reloads == (machine.said("kernel-keeps-list")[1] != 0), machine.said("hotplug")[0])


def after_the_panic(machine):
    machine.well("list", "show", "verify", "notice", "again")
    expect_in("complete", machine.said("list")[0], "the list")
    expect_in("sysrq triggered crash", machine.said("notice")[0], "the notice")
    machine.well("sysv-start", "sysv-notice")
    told = machine.said("sysv-notice")[0].count("sysrq triggered crash")
    expect(told == 2, "the script told %d times, not at login and to the log" % told)
    _, text = readers.read(readers.libkdumpfile_argv(machine.dump("/var/crash")))
    expect_in("x86_64 " + machine.release, text, "libkdumpfile")


def another_kernel(machine):
    """Its image is there before it boots, and the old one's goes with that; nothing is built
    when it boots."""
    image = "initrd-vmcore-save-%s.img"
    machine.well("upgrade", "new-unit", "new-check", "old-kernel")
    machine.armed("upgraded", machine.release)
    expect_in(image % machine.kernel.release, machine.said("images")[0], "/boot")
    expect(machine.said("release")[0] == machine.kernel.release, "it did not boot the new kernel")
    expect_in("armed: ", machine.said("new-journal")[0], "the journal")
    expect("building" not in machine.said("new-journal")[0], machine.said("new-journal")[0])
    machine.armed("new-status", machine.kernel.release)
    expect(machine.release not in machine.said("old-image")[0],
           "left of the old kernel: " + machine.said("old-image")[0])
    machine.armed("still", machine.kernel.release)
    machine.well("replaced")
    machine.armed("not-taken", machine.kernel.release)


def another_configuration(machine):
    expect_in("/etc/vmcore-save.conf", machine.said("stale")[0], "why the image is stale")
    machine.well("restart")
    machine.armed("rebuilt", machine.kernel.release)
    listed = machine.state("second-list")["dumps"]
    expect(listed[0]["verdict"] == "complete" and "/var/crash2/" in listed[0]["path"],
           "the second panic's: %s" % listed)
    expect_in("/var/crash2/", machine.said("second-notice")[0], "the notice")


def crash_opens(machine):
    said = readers.crash(machine.kernel, machine.dump("/var/crash2"), ["sys", "bt", "ps", "mod"])
    expect_in(machine.kernel.release, said["sys"], "sys")
    expect_in("sysrq_handle_crash", said["bt"], "bt")
    expect_in("systemd", said["ps"], "ps")
    expect_in("virtio_blk", said["mod"], "mod")


def package_gone(machine):
    machine.well("reinstall", "remove", "kept", "hooks", "back", "unset", "purge")
    machine.armed("reinstalled", machine.kernel.release)
    armed, disarmed = map(int, machine.said("reinstall")[0].split("samples ")[1].split())
    expect(disarmed * 10 < armed, "while the package was replaced, nothing was armed for %d of %d "
           "looks" % (disarmed, armed + disarmed))
    expect(machine.said("disarmed")[0] == "0", "still armed without the package")
    expect(machine.said("no-images")[0] == "", "left: " + machine.said("no-images")[0])
    expect(machine.said("sysv")[1] == 5, "the script without the program: %s" %
           (machine.said("sysv"),))
    machine.armed("armed", machine.kernel.release)
    expect(machine.said("removed")[1] == 1, "crashkernel= is still there")
    left = [line for line in machine.said("left")[0].splitlines()
            if not line.startswith("/var/crash")]
    expect(not left, "purge left " + " ".join(left))
    machine.well("boot-lines")
    expect(machine.said("purged-grub") == ("0", 1), "GRUB: %s" % (machine.said("purged-grub"),))


def hour_and_more(suite):
    machine = Hour(suite, suite, files={
        "root/kernel": installed.fetch("image", installed.KERNELS[suite])})
    first_hour(machine, 6)  # system, capture, system twice, capture, system
    for part in (another_kernel, another_configuration, crash_opens, package_gone):
        part(machine)
    shutil.rmtree(machine.dir)


@test("installed/bookworm", "installed", long=True)
def bookworm():
    hour_and_more("bookworm")


@test("installed/trixie", "installed", long=True)
def trixie():
    """The hour alone."""
    machine = Hour("trixie", "trixie")
    first_hour(machine, 3)
    shutil.rmtree(machine.dir)


@test("installed/lvm", "installed", long=True)
def lvm():
    """Root on a logical volume, /boot on a partition, as Debian's installer does it."""
    machine = Hour("bookworm", "lvm", lvm=True)
    first_hour(machine, 3)
    shutil.rmtree(machine.dir)


def statuses(root):
    """Of the two packages, where they are known."""
    lines = vm.run(["dpkg-query", "--admindir=" + root + "/var/lib/dpkg", "-W", "-f",
                    "${Package} ${db:Status-Status}\n"]).splitlines()
    return dict(line.split() for line in lines if line.startswith(("kdump-tools ", "vmcore-save ")))


@test("installed/beside-kdump-tools", "installed", long=True)
def beside_kdump_tools():
    """Packages only, nothing boots: one takes the other's place and back, and the memory that one
    had reserved is the other's."""
    root = os.path.join(vm.fresh_dir(cores.out_dir("installed-kdump-tools")), "root")
    suite_root = installed.root_made("bookworm")
    vm.run(["cp", "-a", "--reflink=auto", suite_root, root])
    shutil.copytree(package_with_needs("bookworm"), root + "/ours")
    shutil.copytree(installed.fetch("missing", "bookworm", suite_root, "kdump-tools",
                                    "makedumpfile"), root + "/peers")
    installed.write(root + "/etc/default/grub", installed.GRUB_DEFAULTS)

    def apt(words):
        return vm.run(["unshare", "--mount", "chroot", root, "sh", "-ec", "mount -t proc proc /proc;"
                       "DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends " + words])

    def crashkernel():
        """Where it is set, and what setup makes of that."""
        done = vm.run(["grep", "-rl", "crashkernel=", root + "/etc/default"]).split()
        return [os.path.basename(path) for path in done]

    apt("install /peers/*.deb")
    expect(statuses(root) == {"kdump-tools": "installed"}, "first: %s" % statuses(root))
    apt("install /ours/*.deb")
    expect(statuses(root) == {"kdump-tools": "config-files", "vmcore-save": "installed"},
           "with ours: %s" % statuses(root))
    expect(not os.access(root + "/etc/init.d/kdump-tools", os.X_OK), "its script still runs")
    said = vm.run([os.path.join(vm.build_dir(), "vmcorectl"), "setup", "--root=" + root, "--json"])
    expect(not json.loads(said)["changed"], "setup reserves besides: " + said)
    expect(crashkernel() == ["kdump-tools.cfg"], "crashkernel= is in %s" % crashkernel())
    apt("install /peers/*.deb")
    expect(statuses(root) == {"kdump-tools": "installed", "vmcore-save": "config-files"},
           "back: %s" % statuses(root))
    vm.run(["chroot", root, "run-parts", "--arg=6.1.0-0-none", "--regex=^vmcore-save$",
            "/etc/kernel/postinst.d"])
    apt("purge vmcore-save")
    expect(statuses(root) == {"kdump-tools": "installed"}, "purged: %s" % statuses(root))
    expect(crashkernel() == ["kdump-tools.cfg"], "crashkernel= is in %s" % crashkernel())
    expect(os.access(root + "/etc/init.d/kdump-tools", os.X_OK), "its script does not run")
    shutil.rmtree(os.path.dirname(root))
