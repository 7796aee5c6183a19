# SPDX-License-Identifier: GPL-2.0-or-later
"""packaging/buildroot without Buildroot: its scripts on a made-up target, and its commands as
Buildroot would call them."""

import os
import shutil
import subprocess
import tempfile

import crash
import test_appliance
import vm
from harness import Skip, expect, expect_in, test

EXTERNAL = os.path.join(vm.TOP, "packaging", "buildroot")
PACKAGE = os.path.join(EXTERNAL, "package", "vmcore-save")

# The package infrastructure, as far as the commands see it: settings, folders, and $(@D).
INFRASTRUCTURE = """
BR2_EXTERNAL_VMCORE_SAVE_PATH = %(external)s
BR2_PACKAGE_VMCORE_SAVE_CONF = "%(conf)s"
VMCORE_SAVE_PKGDIR = %(external)s/package/vmcore-save
qstrip = $(strip $(subst ",,$(1)))
INSTALL = install
TARGET_DIR = %(top)s/target
HOST_DIR = %(top)s/host
TARGET_MAKE_ENV = GIT_DIR=.
TARGET_CONFIGURE_OPTS = CC="gcc" AR="ar" STRIP="strip" CPPFLAGS="-D_FILE_OFFSET_BITS=64" \\
	CFLAGS="-Os" LDFLAGS="" CXX=no
HOST_MAKE_ENV = GIT_DIR=.
HOST_CONFIGURE_OPTS = CC="gcc" AR="ar" CPPFLAGS="" CFLAGS="-O2" LDFLAGS=""
generic-package = $(eval defined += target)
host-generic-package = $(eval defined += host)
include %(external)s/external.mk
$(if $(filter-out target host,$(defined)),$(error packages: $(defined)))
# A list of one kind of commands: what comes after a step is what comes before the next.
.PHONY: %(tree)s/all
%(tree)s/all:
	test "$(words $(defined))" = 2
	$(HOST_VMCORE_SAVE_BUILD_CMDS)
	$(HOST_VMCORE_SAVE_INSTALL_CMDS)
	rm -r $(@D)/build-buildroot
	$(VMCORE_SAVE_BUILD_CMDS)
	$(VMCORE_SAVE_INSTALL_TARGET_CMDS)
	$(VMCORE_SAVE_INSTALL_INIT_SYSV)
	$(VMCORE_SAVE_INSTALL_INIT_SYSTEMD)
"""


def script(top, argument):
    """make-crash-image.sh as Buildroot calls it."""
    env = {"PATH": os.environ["PATH"], "TARGET_DIR": os.path.join(top, "target"),
           "BINARIES_DIR": os.path.join(top, "images"), "HOST_DIR": os.path.join(top, "host"),
           "BR2_CONFIG": os.path.join(top, ".config"), "SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run([os.path.join(EXTERNAL, "board", "make-crash-image.sh"),
                           os.path.join(top, argument)], env=env, cwd=top, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8")
    return done.returncode, done.stdout


def check_scripts(top):
    """As post-build and as post-image script: the same image in two places."""
    for name in ("target", "images"):
        os.makedirs(os.path.join(top, name), exist_ok=True)
        status, said = script(top, name)
        expect(status == 0, "make-crash-image.sh: " + said)
        expect_in("crash image: ", said, "what make-crash-image.sh says")
    first, second = (test_appliance.contents(os.path.join(top, name)) for name in
                     ("target/boot/vmcore-save.img", "images/vmcore-save.img"))
    expect(first == second, "the two images differ")
    packed = subprocess.run(["zstd", "-dcq"], input=first, stdout=subprocess.PIPE, check=True)
    image = test_appliance.write_bytes(os.path.join(top, "cpio"), packed.stdout)
    files = test_appliance.unpack(image, os.path.join(top, "files"))
    expect(test_appliance.text_of(files, "etc/vmcore-save.conf") == crash.CONF,
           "another configuration is in the image")
    names = os.listdir(os.path.join(files, "lib/modules/vmcore-save"))
    expect("virtio_blk.ko" in names and "nvme.ko" not in names, "modules: %s" % names)


def settings(top):
    test_appliance.write(os.path.join(top, "hardware"), test_appliance.HARDWARE)
    test_appliance.write(os.path.join(top, ".config"),
                         'BR2_PACKAGE_VMCORE_SAVE=y\nBR2_PACKAGE_VMCORE_SAVE_CONF=""\n'
                         'BR2_PACKAGE_VMCORE_SAVE_HARDWARE="hardware"\n')


@test("appliance/buildroot-script", "appliance")
def post_script():
    with tempfile.TemporaryDirectory(prefix="vmcore-buildroot-") as top:
        test_appliance.root_make(os.path.join(top, "target"))
        settings(top)
        for name, source in (("sbin/vmcore-mkimage", os.path.join(vm.build_dir(),
                                                                  "vmcore-mkimage")),
                             ("share/vmcore-save/image.manifest",
                              os.path.join(vm.TOP, "initramfs", "image.manifest"))):
            path = os.path.join(top, "host", name)
            os.makedirs(os.path.dirname(path))
            shutil.copy(source, path)
        check_scripts(top)
        test_appliance.write(os.path.join(top, "hardware"), "driver acme\n")
        status, said = script(top, "images")
        expect(status != 0, "a missing driver passes")
        expect_in("hardware:1: kernel", said, "what make-crash-image.sh says")


@test("appliance/buildroot", "appliance-buildroot", long=True)
def package():
    """The package's commands build and install what its scripts then use."""
    with tempfile.TemporaryDirectory(prefix="vmcore-buildroot-") as top:
        test_appliance.root_make(os.path.join(top, "target"))
        shutil.rmtree(os.path.join(top, "target", "usr", "sbin"))
        os.unlink(os.path.join(top, "target", "etc", "vmcore-save.conf"))
        settings(top)
        tree = os.path.join(top, "tree")
        # What Buildroot's rsync would leave out, and what was built here.
        shutil.copytree(vm.TOP, tree, ignore=lambda folder, names: [
            n for n in names if folder == vm.TOP and
            (n == ".git" or os.path.exists(os.path.join(folder, n, ".flags")))])
        conf = test_appliance.write(os.path.join(top, "acme.conf"), crash.CONF)
        makefile = test_appliance.write(os.path.join(top, "Makefile"), INFRASTRUCTURE % {
            "external": EXTERNAL, "conf": conf, "top": top, "tree": tree})
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
        # Buildroot's own O= comes through to each make.
        done = subprocess.run(["make", "-f", makefile, "O=" + os.path.join(top, "output"),
                               "-j%d" % (os.cpu_count() or 1), os.path.join(tree, "all")],
                              env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", errors="replace", timeout=1500)
        expect(done.returncode == 0, "the package's commands:\n" + done.stdout[-3000:])
        expect(not os.path.exists(os.path.join(top, "output")), "built into Buildroot's folder")
        for name in ("usr/sbin/kexec-loader", "usr/sbin/vmcorectl", "etc/init.d/S02kexec-loader",
                     "usr/lib/systemd/system/vmcore-save.service", "usr/libexec/vmcore-save-arm"):
            expect(os.path.exists(os.path.join(top, "target", name)), "not installed: " + name)
        check_scripts(top)


@test("appliance/buildroot-init", "appliance")
def init_script():
    """The init script arms with the kernel that is there, and disarms."""
    if os.geteuid() != 0:
        raise Skip("chroot needs root")
    with tempfile.TemporaryDirectory(prefix="vmcore-buildroot-") as top:
        for name in ("bin", "proc", "boot", "etc/default", "usr/sbin"):
            os.makedirs(os.path.join(top, name))
        shutil.copy("/bin/busybox", os.path.join(top, "bin"))
        for name in ("sh", "cat", "tr", "grep"):
            os.symlink("busybox", os.path.join(top, "bin", name))
        test_appliance.write(os.path.join(top, "proc/cmdline"),
                             "root=/dev/vda console=tty0 quiet console=ttyS0,115200\n")
        loader = test_appliance.write(os.path.join(top, "usr/sbin/kexec-loader"),
                                      '#!/bin/sh\nfor w; do echo "<$w>"; done >/log\n'
                                      "[ ! -e /broken ]\n")
        os.chmod(loader, 0o755)
        shutil.copy(os.path.join(PACKAGE, "S02kexec-loader"), top)

        def call(word):
            done = subprocess.run(["/usr/sbin/chroot", top, "/bin/sh", "/S02kexec-loader", word],
                                  env={"PATH": "/bin"}, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, encoding="utf-8")
            return done.returncode, done.stdout

        status, said = call("start")
        expect(status == 1, "arms without a kernel")
        expect_in("set KERNEL= in /etc/default/vmcore-save", said, "what it says")
        test_appliance.write(os.path.join(top, "boot/bzImage"), "")
        status, said = call("start")
        expect(status == 0 and said.endswith("OK\n"), "start: %d, %s" % (status, said))
        words = test_appliance.text_of(top, "log").splitlines()
        expect(words[:3] == ["<-p>", "</boot/bzImage>", "<--initrd=/boot/vmcore-save.img>"],
               "kexec-loader got %s" % words)
        expect_in("<--append=console=tty0 console=ttyS0,115200 nr_cpus=1 ", words[3], "its words")
        test_appliance.write(os.path.join(top, "etc/default/vmcore-save"),
                             "KERNEL=/boot/other\nIMAGE=/data/crash.img\nAPPEND=maxcpus=1\n")
        test_appliance.write(os.path.join(top, "boot/other"), "")
        test_appliance.write(os.path.join(top, "broken"), "")
        status, said = call("restart")
        expect(status == 1 and said.endswith("FAIL\n"), "restart: %d, %s" % (status, said))
        words = test_appliance.text_of(top, "log").splitlines()
        expect(words[1:3] == ["</boot/other>", "<--initrd=/data/crash.img>"], "%s" % words)
        call("stop")
        expect(test_appliance.text_of(top, "log").split() == ["<-p>", "<-u>"], "stop")
