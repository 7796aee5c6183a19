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
# The first process of a machine that lays out its second disk as Debian's installer does with
# LVM, and copies itself onto that. No udev is there to make links, and the root is read-only.
INSTALLER = r"""#!/bin/bash
exec >/dev/ttyS1 2>/dev/console </dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DM_DISABLE_UDEV=1
lay_out() {
	modprobe dm_mod || return
	printf '%s\n' 'label: dos' 'start=2048,size=400MiB,type=83,bootable' 'type=8e' |
		sfdisk -q /dev/vdb || return
	vgcreate -An -y installed-vg /dev/vdb2 || return
	lvcreate -An -y -Wn -n root -L 6G installed-vg || return
	lvcreate -An -y -Wn -n swap_1 -L 128M installed-vg || return
	mke2fs -q -t ext4 -L boot /dev/vdb1 && mkswap /dev/installed-vg/swap_1
}
copy() {
	e2image -raf /dev/vda1 /dev/installed-vg/root || return # what is in use alone
	e2fsck -fp /dev/installed-vg/root
	[ $? -le 1 ] || return
	mount /dev/installed-vg/root /mnt && mkdir /mnt/boot.new &&
		mount /dev/vdb1 /mnt/boot.new && cp -a /mnt/boot/. /mnt/boot.new || return
	rm -rf /mnt/boot/*
	cat >/mnt/etc/fstab <<-TABLE
		/dev/mapper/installed--vg-root / ext4 errors=remount-ro 0 1
		LABEL=boot /boot ext4 defaults 0 2
		/dev/mapper/installed--vg-swap_1 none swap sw 0 0
	TABLE
	umount /mnt/boot.new && rmdir /mnt/boot.new && umount /mnt
}
if lay_out >&2 && copy >&2; then
	echo "table $(dmsetup table installed--vg-root)"
	vgchange -an installed-vg >&2
	echo END 0
else
	echo END 1
fi
sync
echo o >/proc/sysrq-trigger
sleep 60
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


class LvmDisk(vm.Disk):
    """A disk with /boot and a volume group; a guest has laid it out."""

    def __init__(self, path, table):
        super().__init__(path)
        self.image = path
        start = int(vm.run(["/sbin/sfdisk", "-l", "-q", "-o", "Start", path]).split()[-1])
        words = table.split()  # dmsetup(8): first sector, sectors, type, device, its first sector
        assert len(words) == 5 and words[2] == "linear", table
        self.path = "%s?offset=%d" % (path, (start + int(words[4])) * 512)


class Installed:
    """One such machine. @steps: bash, in which $step is 0, 1 ... and finish ends a boot; @files:
    {name on it: source, a directory's files}; @lvm: root is on a logical volume, /boot is not."""

    def __init__(self, directory, suite, steps, files, lvm=False, memory="1G", size=6 << 30):
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
        self.root = "LABEL=installed"
        shutil.rmtree(root)
        if lvm:
            self._move_to_lvm(size + (1 << 30))

    def _tree(self, suite, steps, files):
        root = os.path.join(self.dir, "root")
        subprocess.run(["cp", "-a", "--reflink=auto", root_made(suite), root], check=True)
        write(root + "/etc/fstab", "LABEL=installed / ext4 defaults,errors=remount-ro 0 1\n")
        write(root + "/etc/hostname", "installed\n")
        write(root + "/etc/default/grub", GRUB_DEFAULTS)
        # Of the system's own images, which are made in an emulated machine.
        write(root + "/etc/initramfs-tools/conf.d/quick", "MODULES=dep\nCOMPRESSLEVEL=1\n")
        write(root + "/usr/local/sbin/installer", INSTALLER, 0o755)
        write(root + "/usr/local/sbin/step", STEP_HEAD + steps, 0o755)
        write(root + "/etc/systemd/system/step.service", STEP_UNIT)
        wants = root + "/etc/systemd/system/multi-user.target.wants"
        os.makedirs(wants, exist_ok=True)
        os.symlink("../step.service", wants + "/step.service")
        for name, source in files.items():
            copy = shutil.copytree if os.path.isdir(source) else shutil.copy
            copy(source, os.path.join(root, name))
        return root

    def _run(self, append, loader, images):
        self.vm = vm.Vm(self.dir, os.path.join(self.dir, "vmlinuz-"),
                        os.path.join(self.dir, "initrd.img-"), append, memory=self.memory)
        if loader:
            at = self.vm.argv.index("-kernel")
            del self.vm.argv[at:at + 6]
        for image in images:
            self.vm.argv += ["-drive", "if=virtio,format=raw,cache=unsafe,file=" + image]
        return self.vm.run(RUN_TIMEOUT_S)

    def _move_to_lvm(self, size):
        seed, image = self.disk.image, os.path.join(self.dir, "lvm.img")
        with open(image, "wb") as f:
            f.truncate(size)
        self._run("root=LABEL=installed ro init=/usr/local/sbin/installer", False, [seed, image])
        self.disk = LvmDisk(image, self.vm.value("table"))
        self.root = "/dev/mapper/installed--vg-root"
        os.unlink(seed)

    def boot(self, loader=True):
        """Until a step says finish. Without a boot loader, which the first step installs, QEMU
        loads the kernel. Returns the report's lines."""
        return self._run("root=%s rw" % self.root, loader, [self.disk.image])

    def said(self, key):
        """(what a command printed, its exit status) in the last run."""
        prefix = key + " "
        text = [line[len(prefix):] for line in self.vm.results if line.startswith(prefix)]
        return "\n".join(text), int(self.vm.value(key + ".status"))

    def times(self):
        """{what was typed: milliseconds} in the last run."""
        return {words[0][:-3]: int(words[1]) for words in map(str.split, self.vm.results)
                if len(words) == 2 and words[0].endswith(".ms")}
