# SPDX-License-Identifier: GPL-2.0-or-later
"""An installed Debian with systemd and GRUB on a disk of its own, which boots as a machine does:
firmware, boot loader, kernel. A script goes through one step of it after the other."""

import os
import shutil
import subprocess

import vm

# Nothing that our package asks for, unless these do.
PACKAGES = "systemd-sysv,udev,initramfs-tools,procps,grub-pc,fdisk,lvm2"
KERNELS = {"bookworm": "6.1-cloud", "trixie": "6.12-cloud"}
PARTITION_AT = 1 << 20  # GRUB's core image lies before it
RUN_TIMEOUT_S = 2700
STEP_UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/step
TimeoutStartSec=infinity
[Install]
WantedBy=multi-user.target
"""
# Each boot is the next step. Reports go to the second serial port, the last line is "END 0".
STEP_HEAD = """#!/bin/bash
exec >/dev/ttyS1 2>/dev/kmsg </dev/null
export DEBIAN_FRONTEND=noninteractive
finish() {
	echo "END $1"
	sync
	systemctl poweroff -ff
	sleep 60
}
say() { # say KEY COMMAND...: its output, a line each, its exit status, and how long it took
	local key=$1 text status begin=${EPOCHREALTIME/./}
	shift
	text=$("$@" 2>&1)
	status=$?
	sed "s/^/$key /" <<<"$text"
	echo "$key.status $status"
	echo "$key.ms $(((${EPOCHREALTIME/./} - begin) / 1000))"
}
reboots() {
	sync
	systemctl reboot
	sleep infinity
}
panics() {
	sync
	echo c >/proc/sysrq-trigger
	sleep infinity
}
mkdir -p /var/lib/steps
step=$(ls /var/lib/steps | wc -l)
touch "/var/lib/steps/$step"
sync
echo "STEP $step"
"""
GRUB_DEFAULTS = """GRUB_DEFAULT=0
GRUB_TIMEOUT=0
GRUB_TERMINAL=serial
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_CMDLINE_LINUX="console=ttyS0 no_timer_check panic=10"
GRUB_SERIAL_COMMAND="serial --unit=0"
"""


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def fetch(*words):
    return vm.run([os.path.join(vm.HERE, "fetch"), *words]).splitlines()[-1]


def root_made(suite):
    """The distribution's part with the kernel before the newest, made once and kept in the
    cache."""
    kernel = fetch("image-before", KERNELS[suite])
    base = os.path.join(vm.cache_dir(), "roots", suite)
    root, made = os.path.join(base, "root"), os.path.join(base, "made")
    key = "%s %s" % (PACKAGES, kernel)
    if os.path.exists(made):
        with open(made, encoding="utf-8") as f:
            if f.read() == key:
                return root
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(base)
    environ = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    vm.run(["debootstrap", "--variant=minbase", "--include=" + PACKAGES, suite, root,
            fetch("mirror")], env=environ)
    shutil.copytree(kernel, root + "/kernel")
    vm.run(["chroot", root, "sh", "-ec", "mount -t proc proc /proc; trap 'umount /proc' EXIT; "
            "dpkg -i /kernel/*.deb; rm -r /kernel; apt-get clean; passwd -d root"], env=environ)
    write(made, key)
    return root


class PartitionedDisk(vm.Disk):
    """A disk whose first partition is an ext4."""

    def __init__(self, path, label):
        super().__init__(path)
        self.LABEL = label
        self.image = path
        self.path = "%s?offset=%d" % (path, PARTITION_AT)  # as libext2fs has it

    def create(self, tree, size, options=()):
        with open(self.image, "wb") as f:
            f.truncate(size)
        subprocess.run(["/sbin/sfdisk", "-q", self.image], input="start=%d,type=83,bootable\n" %
                       (PARTITION_AT // 512), encoding="ascii", check=True)
        blocks = (size - PARTITION_AT) // 4096
        vm.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-L", self.LABEL,
                "-E", "offset=%d" % PARTITION_AT, "-d", tree, self.image, str(blocks)])


class Installed:
    """One such machine. @steps: bash, in which $step is 0, 1 ... and finish ends a boot; @files:
    {name on it: source, a directory's files}."""

    def __init__(self, directory, suite, steps, files, memory="1G", size=6 << 30):
        self.dir = vm.fresh_dir(directory)
        self.memory = memory
        self.vm = None
        root = self._tree(suite, steps, files)
        boot = os.path.join(root, "boot")
        self.release = [f[8:] for f in sorted(os.listdir(boot)) if f.startswith("vmlinuz-")][-1]
        for name in ("vmlinuz-", "initrd.img-"):
            shutil.copy(os.path.join(boot, name + self.release), os.path.join(self.dir, name))
        self.disk = PartitionedDisk(os.path.join(self.dir, "disk.img"), "installed")
        self.disk.create(root, size)
        shutil.rmtree(root)

    def _tree(self, suite, steps, files):
        root = os.path.join(self.dir, "root")
        subprocess.run(["cp", "-a", "--reflink=auto", root_made(suite), root], check=True)
        write(root + "/etc/fstab", "LABEL=installed / ext4 defaults,errors=remount-ro 0 1\n")
        write(root + "/etc/hostname", "installed\n")
        write(root + "/etc/default/grub", GRUB_DEFAULTS)
        # Of the system's own images, which are made in an emulated machine.
        write(root + "/etc/initramfs-tools/conf.d/quick", "MODULES=dep\nCOMPRESSLEVEL=1\n")
        write(root + "/usr/local/sbin/step", STEP_HEAD + steps, 0o755)
        write(root + "/etc/systemd/system/step.service", STEP_UNIT)
        wants = root + "/etc/systemd/system/multi-user.target.wants"
        os.makedirs(wants, exist_ok=True)
        os.symlink("../step.service", wants + "/step.service")
        for name, source in files.items():
            copy = shutil.copytree if os.path.isdir(source) else shutil.copy
            copy(source, os.path.join(root, name))
        return root

    def boot(self, loader=True):
        """Until a step says finish. Without a boot loader, which the first step installs, QEMU
        loads the kernel. Returns the report's lines."""
        self.vm = vm.Vm(self.dir, os.path.join(self.dir, "vmlinuz-"),
                        os.path.join(self.dir, "initrd.img-"), "root=LABEL=installed rw",
                        memory=self.memory)
        if loader:
            at = self.vm.argv.index("-kernel")
            del self.vm.argv[at:at + 6]
        self.vm.argv += ["-drive", "if=virtio,format=raw,cache=unsafe,file=" + self.disk.image]
        return self.vm.run(RUN_TIMEOUT_S)

    def said(self, key):
        """(what a command printed, its exit status) in the last run."""
        prefix = key + " "
        text = [line[len(prefix):] for line in self.vm.results if line.startswith(prefix)]
        return "\n".join(text), int(self.vm.value(key + ".status"))

    def times(self):
        """{what was typed: milliseconds} in the last run."""
        return {words[0][:-3]: int(words[1]) for words in map(str.split, self.vm.results)
                if len(words) == 2 and words[0].endswith(".ms")}
