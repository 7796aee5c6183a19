# SPDX-License-Identifier: GPL-2.0-or-later
"""The RPM packages: they are built, hold what "make install" installs, and their scriptlets run in a
made-up root."""

import glob
import os
import shutil
import subprocess

import vm
from harness import Skip, expect, expect_in, once, test

SPEC = os.path.join(vm.TOP, "packaging", "rpm", "vmcore-save.spec")
LINTRC = os.path.join(vm.TOP, "packaging", "rpm", "vmcore-save.rpmlintrc")

# As systemd-rpm-macros defines them, but for the helper that it calls.
MACROS = r"""%systemd_post() systemctl --no-reload preset %{?*} || :
%systemd_preun() [ $1 -ne 0 ] || systemctl --no-reload disable --now %{?*} || :
%systemd_postun_with_restart() [ $1 -lt 1 ] || systemctl try-restart %{?*} || :
"""

# What Debian's kernel packages and sysvinit look for.
DEBIAN_ONLY = {"/etc/init.d/vmcore-save", "/etc/kernel/postinst.d/vmcore-save",
               "/etc/kernel/postrm.d/vmcore-save"}
# What "make install" leaves to packages.
ADDED = {"/etc/vmcore-save.conf", "/usr/lib/vmcore-save/busybox"}


def run(*argv, **kwargs):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", **kwargs)
    expect(done.returncode == 0, "%s: exit status %d:\n%s" % (" ".join(argv), done.returncode,
                                                              done.stdout[-4000:]))
    return done.stdout


def make(*args):
    env = {k: v for k, v in os.environ.items() if k not in ("O", "MAKEFLAGS", "MFLAGS")}
    return run("make", "-C", vm.TOP, *args, env=env, timeout=1500)


@once
def packages():
    """{name: path}"""
    out = vm.build_dir()
    macros = os.path.join(out, "rpm-macros")
    os.makedirs(out, exist_ok=True)
    with open(macros, "w", encoding="ascii") as f:
        f.write(MACROS)
    make("rpm", "O=" + out, "RPMFLAGS=--nodeps --load=" + macros)
    found = glob.glob(os.path.join(out, "rpm", "RPMS", "*", "*.rpm"))
    return {run("rpm", "-qp", "--qf", "%{NAME}", path): path for path in found}


def listed(path):
    """The files of a package without folders, documents and licences."""
    lines = run("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", path).splitlines()
    names = {line.split(" ", 1)[1] for line in lines if line[0] != "d"}
    return {name[:-3] if name.endswith(".gz") and "/man/" in name else name for name in names
            if not name.startswith(("/usr/share/doc/", "/usr/share/licenses/"))}


@test("package/rpm", "package-rpm", long=True)
def rpm():
    built = packages()
    expect(set(built) == {"vmcore-save", "vmcore-save-dracut"}, "packages: %s" % sorted(built))
    files = {name: listed(path) for name, path in built.items()}
    twice = files["vmcore-save"] & files["vmcore-save-dracut"]
    expect(not twice, "in both packages: %s" % sorted(twice))

    root = vm.fresh_dir(os.path.join(vm.build_dir(), "rpm-install"))
    make("install", "O=" + vm.build_dir(), "DESTDIR=" + root, "prefix=/usr")
    installed = {os.path.join("/", os.path.relpath(os.path.join(base, name), root))
                 for base, _, names in os.walk(root) for name in names}
    shutil.rmtree(root)
    packaged = files["vmcore-save"] | files["vmcore-save-dracut"]
    expect(packaged | DEBIAN_ONLY == installed | ADDED, "packages and \"make install\" differ in %s" %
           sorted((packaged | DEBIAN_ONLY) ^ (installed | ADDED)))
    expect(all("dracut" in name for name in files["vmcore-save-dracut"]),
           "the dracut package: %s" % sorted(files["vmcore-save-dracut"]))
    config = set(run("rpm", "-qpc", built["vmcore-save"]).split())
    expect(config == {"/etc/vmcore-save.conf", "/etc/default/vmcore-save"}, "%s" % config)


@test("package/rpmlint", "package-rpm", long=True)
def rpmlint():
    said = run("rpmlint", "-r", LINTRC, SPEC, *packages().values())
    expect_in("0 errors, 0 warnings", said, "what rpmlint says")


def world(folder):
    """A root for rpm: a shell, a systemctl that tells what it was asked, and a kdump.service that is
    enabled."""
    vm.fresh_dir(folder)
    for name in ("bin", "boot", "etc", "dev", "usr/bin", "var/lib/vmcore-save", "var/crash/1"):
        os.makedirs(os.path.join(folder, name))
    shutil.copy("/bin/busybox", os.path.join(folder, "bin"))
    for name in ("sh", "rm", "echo"):
        os.symlink("busybox", os.path.join(folder, "bin", name))
    path = os.path.join(folder, "usr/bin/systemctl")
    with open(path, "w", encoding="ascii") as f:
        f.write('#!/bin/sh\necho "$@" >>/log\ncase $* in *is-enabled*) [ -e /kdump ] ;; esac\n')
    os.chmod(path, 0o755)
    for name in ("boot/initrd-vmcore-save-6.1.img", "boot/initrd.img-6.1", "var/crash/1/vmcore",
                 "var/lib/vmcore-save/image-6.1.inputs", "kdump"):
        with open(os.path.join(folder, name), "w", encoding="ascii"):
            pass
    return folder


def log_of(folder):
    path = os.path.join(folder, "log")
    with open(path, encoding="ascii") as f:
        lines = f.read().splitlines()
    os.unlink(path)
    return lines


@test("package/rpm-scriptlets", "package-rpm", long=True)
def scriptlets():
    """Installed, updated and removed in a root of its own: what is told to systemd, what stays."""
    if os.geteuid() != 0:
        raise Skip("rpm --root needs root")
    path = packages()["vmcore-save"]
    for which in ("PREIN", "POSTIN", "PREUN", "POSTUN"):
        script = run("rpm", "-qp", "--qf", "%{" + which + "}", path)
        if script != "(none)":
            subprocess.run(["sh", "-n"], input=script, encoding="utf-8", check=True)
            expect("%" not in script.replace("%s", ""), "a macro is left: " + script)
    folder = world(os.path.join(vm.build_dir(), "rpm-root"))
    rpm_argv = ["rpm", "--root", folder, "--dbpath", "/var/lib/rpm", "--nodeps"]
    units = "vmcore-save.service vmcore-save-notice.service"

    said = run(*rpm_argv, "-i", path)
    expect_in("systemctl disable --now kdump.service && vmcorectl setup", said, "what rpm says")
    expect(log_of(folder) == ["--no-reload preset " + units,
                              "--quiet is-enabled kdump.service"], "asked of systemd")
    os.unlink(os.path.join(folder, "kdump"))
    conf = os.path.join(folder, "etc/vmcore-save.conf")
    with open(conf, "a", encoding="ascii") as f:
        f.write("ext4 LABEL=x\n")

    said = run(*rpm_argv, "-U", "--force", path)
    expect("kdump.service" not in said, "an update says: " + said)
    asked = log_of(folder)
    expect("try-restart vmcore-save.service" in asked and
           not any("disable" in line for line in asked), "an update asks: %s" % asked)
    with open(conf, encoding="ascii") as f:
        expect_in("ext4 LABEL=x", f.read(), "the configuration after an update")
    expect(os.path.exists(os.path.join(folder, "boot/initrd-vmcore-save-6.1.img")),
           "an update took the crash image away")

    run(*rpm_argv, "-e", "vmcore-save")
    expect("--no-reload disable --now " + units in log_of(folder), "not disabled when removed")
    left = {os.path.relpath(os.path.join(base, name), folder)
            for base, _, names in os.walk(folder) for name in names}
    for name in ("boot/initrd.img-6.1", "var/crash/1/vmcore", "etc/vmcore-save.conf.rpmsave"):
        expect(name in left, "removed: " + name)
    for name in ("boot/initrd-vmcore-save-6.1.img", "var/lib/vmcore-save/image-6.1.inputs",
                 "usr/sbin/vmcore-save", "usr/lib/systemd/system/vmcore-save.service"):
        expect(name not in left, "left behind: " + name)
    shutil.rmtree(folder)
