#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures vmcore-save beside the distribution's own kdump-tools, on one installed system.

Usage: tests/bench/kdump-tools.py [--tool vmcore-save|kdump-tools] [--crashkernel SIZE]...

Makes a Debian 12 root file system with systemd, kdump-tools and vmcore-save (needs root and
debootstrap), boots it in QEMU, lets one of the two build its image, arm and save a real
panic, and prints a row per run. Of several sizes the smallest that still gave a complete
dump is the one to compare. Takes about five minutes per run under TCG.
"""

import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import vm  # noqa: E402

PACKAGES = ("systemd-sysv,udev,kmod,initramfs-tools,zstd,procps,time,kexec-tools,makedumpfile,"
            "dracut-core,busybox-static,linux-image-cloud-amd64")
RUN_TIMEOUT_S = 900
CAPTURE_CMDLINE = "console=ttyS0 nr_cpus=1 irqpoll reset_devices"


def chroot(root, script):
    subprocess.run(["chroot", root, "sh", "-ec", script], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def make_root(base):
    """The distribution's part, made once and kept in the cache."""
    root = os.path.join(base, "root")
    if os.path.exists(os.path.join(base, "ready")):
        return root
    shutil.rmtree(base, ignore_errors=True)
    os.makedirs(base)
    print("making a Debian 12 root file system ...", flush=True)
    vm.run(["debootstrap", "--variant=minbase", "--include=" + PACKAGES, "bookworm", root,
            vm.run([os.path.join(vm.HERE, "fetch"), "mirror"]).strip()])
    # Its postinst builds an image only where it runs on the machine itself: done in the guest.
    chroot(root, "mount -t proc proc /proc; apt-get install -y --no-install-recommends kdump-tools;"
                 "umount /proc; passwd -d root")
    write(os.path.join(base, "ready"), "")
    return root


def configure(root):
    """Our part and the bench's, laid over it anew in every run."""
    vm.run(["make", "-s", "-C", vm.TOP, "install", "DESTDIR=" + root])
    write(root + "/etc/fstab", "/dev/vda / ext4 defaults 0 1\n")
    write(root + "/etc/hostname", "bench\n")
    write(root + "/etc/vmcore-save.conf",
          "ext4 LABEL=bench-root\npath /var/crash\ncore_collector vmcore-save -c -d 31\n")
    write(root + "/etc/default/kdump-tools", "USE_KDUMP=1\nKDUMP_COREDIR=/var/crash\n"
          "KDUMP_KERNEL=/var/lib/kdump/vmlinuz\nKDUMP_INITRD=/var/lib/kdump/initrd.img\n")
    # In a file: kdump-tools hands the running kernel's parameters on, and breaks on quotes.
    write(root + "/etc/bench-append", CAPTURE_CMDLINE + "\n")
    shutil.copy(os.path.join(HERE, "guest-step"), root + "/usr/local/sbin/bench-step")
    makedumpfile = root + "/usr/bin/makedumpfile"
    if not os.path.exists(makedumpfile + ".real"):
        os.rename(makedumpfile, makedumpfile + ".real")
    write(makedumpfile, "#!/bin/sh\n# memory use of the peer's filter, the log's run included\n"
          "exec time -a -o /var/crash/time -f 'PEAK_KIB %M' /usr/bin/makedumpfile.real \"$@\"\n",
          0o755)
    write(root + "/etc/systemd/system/bench-step.service",
          "[Unit]\nAfter=local-fs.target kdump-tools.service\n[Service]\nType=oneshot\n"
          "ExecStart=/usr/local/sbin/bench-step\n")
    wants = root + "/etc/systemd/system/multi-user.target.wants"
    os.makedirs(wants, exist_ok=True)
    if not os.path.lexists(wants + "/bench-step.service"):
        os.symlink("../bench-step.service", wants + "/bench-step.service")


def one_run(root, tool, crashkernel, outdir):
    disk = vm.Disk(os.path.join(outdir, "disk.img"))
    vm.run(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", "bench-root", "-d", root, disk.path,
            "3G"])
    boot = os.path.join(root, "boot")
    release = [f for f in sorted(os.listdir(boot)) if f.startswith("vmlinuz-")][-1][8:]
    append = "root=/dev/vda rw crashkernel=%s bench.tool=%s" % (crashkernel, tool)
    if tool != "kdump-tools":
        append += " systemd.mask=kdump-tools.service"
    guest = vm.Vm(outdir, os.path.join(boot, "vmlinuz-" + release),
                  os.path.join(boot, "initrd.img-" + release), append, disk=disk)
    row = {"tool": tool, "crashkernel": crashkernel, "kernel": release}
    try:
        guest.run(RUN_TIMEOUT_S)
        row["result"] = guest.value("RESULT")
    except vm.VmError as e:
        row["result"] = str(e).splitlines()[0]
    for key in ("IMAGE_BYTES", "BUILD_S", "ARM_S", "DUMP_BYTES", "PEAK_KIB"):
        row[key.lower()] = guest.value(key)
    panic = guest.first_time("sysrq: Trigger a crash")
    # The capture kernel's own start is the first "Linux version" after the panic.
    capture = guest.first_time("Linux version", panic or 0)
    again = guest.first_time("Linux version", (capture or 0) + 0.01)
    if panic and again:
        row["panic_to_reset_s"] = "%.1f" % (again - panic)
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", choices=("vmcore-save", "kdump-tools"), action="append")
    parser.add_argument("--crashkernel", action="append", metavar="SIZE")
    args = parser.parse_args()
    root = make_root(os.path.join(vm.cache_dir(), "bench-bookworm"))
    configure(root)
    rows = []
    for tool in args.tool or ("vmcore-save", "kdump-tools"):
        for size in args.crashkernel or ("192M",):
            outdir = vm.fresh_dir(os.path.join(vm.build_dir(), "bench", "%s-%s" % (tool, size)))
            row = one_run(root, tool, size, outdir)
            print("  ".join("%s=%s" % item for item in row.items()), flush=True)
            rows.append(row)
    return 0 if all(row["result"] == "complete" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
