# SPDX-License-Identifier: GPL-2.0-or-later
"""Images of appliances: vmcore-mkimage on a made-up root file system of which nothing runs."""

import glob
import os
import shutil
import subprocess
import tempfile

import cores
import crash
import vm
from harness import expect, expect_in, once, test
from test_image import complete

KERNEL = "6.1-cloud"
HARDWARE = """# a virtual machine of QEMU's
driver ?i6300esb
modalias pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00
virtio:d00000002v00001AF4
options virtio-blk queue_depth=64
"""


@once
def kernel():
    return vm.Kernel(KERNEL)


# What the tests name and what that needs lies in these folders of a kernel's modules.
FOLDERS = ("drivers/block", "drivers/comedi", "drivers/virtio", "fs/nls")


def is_spare(folder, names):
    """For shutil.copytree(): folders of modules that no test needs."""
    if not folder.endswith(("/kernel", "/kernel/drivers")):
        return []
    under = "drivers/" if folder.endswith("/kernel/drivers") else ""
    return [n for n in names if not any((f + "/").startswith(under + n + "/") for f in FOLDERS)]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def root_make(folder, conf=crash.CONF):
    """An appliance's root file system as a build system leaves it: kernel, programs, a
    configuration."""
    vm.fresh_dir(folder)
    build = vm.build_dir()
    for name, source in (("usr/sbin/vmcore-save", "vmcore-save"),
                         ("usr/lib/vmcore-save/busybox", "busybox")):
        source = os.path.join(build, source)
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copy(source if os.path.exists(source) else "/bin/busybox", path)
    os.symlink("usr/lib", os.path.join(folder, "lib"))
    shutil.copytree(kernel().modules,
                    os.path.join(folder, "usr/lib/modules", kernel().release), symlinks=True,
                    ignore=is_spare)
    write(os.path.join(folder, "etc/vmcore-save.conf"), conf)
    write(os.path.join(folder, "hardware"), HARDWARE)
    return folder


def mkimage(*args, program=None, **kwargs):
    """(exit status, what it says)"""
    done = subprocess.run([program or os.path.join(vm.build_dir(), "vmcore-mkimage"), *args],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", **kwargs)
    return done.returncode, done.stdout


def image_make(root, out, *args, **kwargs):
    status, said = mkimage("--root", root, "--hardware", os.path.join(root, "hardware"), "-o", out,
                           *args, **kwargs)
    expect(status == 0, "vmcore-mkimage: " + said)
    return said


def contents(path):
    with open(path, "rb") as f:
        return f.read()


def unpack(path, folder):
    """The files of an image that is not compressed."""
    vm.fresh_dir(folder)
    with open(path, "rb") as f:
        subprocess.run(["cpio", "-idm", "--quiet", "--no-absolute-filenames"], stdin=f, cwd=folder,
                       check=True)
    return folder


def text_of(folder, name):
    return contents(os.path.join(folder, name)).decode()


@test("appliance/reproducible", "appliance")
def reproducible():
    """Another folder, user, umask, time zone and time, and another order of the folders' entries:
    the same bytes."""
    with tempfile.TemporaryDirectory(prefix="vmcore-appliance-") as top:
        os.chmod(top, 0o755)
        mine = root_make(os.path.join(top, "a"))
        image_make(mine, os.path.join(top, "1.img"), "--compress", "gzip")
        other = os.path.join(top, "the", "other")
        os.makedirs(other)
        done = subprocess.run("(cd '%s' && find . | sort -r | cpio -pd --quiet '%s')" %
                              (mine, other), shell=True, check=False)
        expect(done.returncode == 0, "cpio does not copy")
        program = shutil.copy(os.path.join(vm.build_dir(), "vmcore-mkimage"), top)
        shutil.copy(os.path.join(vm.TOP, "initramfs", "image.manifest"), top)
        out = os.path.join(top, "out")
        os.mkdir(out)
        os.chmod(out, 0o777)
        argv = ["sh", "-c", 'umask 077; cd "$1/.." && shift && exec "$@"', "sh", other, program,
                "-r", "other/", "-H", "./other/hardware", "-m", "../image.manifest", "--compress",
                "gzip", "-o", "../out/2.img"]
        if os.geteuid() == 0:
            subprocess.run(["chmod", "-R", "a+rX", other], check=True)
            argv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *argv]
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", env={"PATH": os.environ["PATH"], "LC_ALL": "C",
                                                     "TZ": "Asia/Tokyo", "HOME": "/nonexistent"})
        expect(done.returncode == 0, "vmcore-mkimage as another: " + done.stdout)
        expect(contents(os.path.join(top, "1.img")) == contents(os.path.join(out, "2.img")),
               "the images differ")
        image_make(mine, os.path.join(top, "3.img"), env=dict(os.environ,
                                                             SOURCE_DATE_EPOCH="1700000000"))
        folder = unpack(os.path.join(top, "3.img"), os.path.join(top, "3"))
        times = {os.lstat(os.path.join(base, name)).st_mtime
                 for base, _, names in os.walk(folder) for name in names
                 if not os.path.islink(os.path.join(base, name))}
        expect(times == {1700000000.0}, "times in the image: %s" % times)


@test("appliance/contents", "appliance")
def described():
    """What the description names is in the image, in its order, with parameters; modules lose debug
    information, but a signed one stays as it is; what was not named is not there."""
    with tempfile.TemporaryDirectory(prefix="vmcore-appliance-") as top:
        root = root_make(os.path.join(top, "root"))
        modules = os.path.join(root, "usr/lib/modules", kernel().release)
        virtio_blk = glob.glob(modules + "/kernel/drivers/block/virtio_blk.ko*")[0]
        plain = fatten(virtio_blk)
        image_make(root, os.path.join(top, "img"))
        files = unpack(os.path.join(top, "img"), os.path.join(top, "files"))
        listed = text_of(files, "etc/vmcore-save/modules").splitlines()
        names = [os.path.basename(line.split()[0]) for line in listed]
        expect(names.index("virtio.ko") < names.index("virtio_pci.ko"), "order: %s" % names)
        expect("nvme.ko" not in names, "a module that was not named: %s" % names)
        expect([n + ".ko" for n in ("virtio_blk",)] == [
            os.path.basename(line.split()[0]) for line in listed if "queue_depth=64" in line],
               "parameters: %s" % listed)
        got = unpacked_module(files, "virtio_blk.ko")
        expect(b"debug debug" not in got and len(got) < len(plain) + 4096,
               "virtio_blk.ko has %d bytes, %d without debug information" % (len(got), len(plain)))
        symbols = vm.run(["readelf", "-sW", write_bytes(os.path.join(top, "m.ko"), got)])
        expect_in("init_module", symbols, "the symbols of virtio_blk.ko")
        signed = vm.unpack_module(glob.glob(
            modules + "/kernel/drivers/virtio/virtio_pci.ko*")[0])
        expect(unpacked_module(files, "virtio_pci.ko") == signed, "virtio_pci.ko has changed")


def write_bytes(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def fatten(path):
    """Puts debug information into a module that has none, which also ends its signature; returns
    what it was without."""
    plain = vm.unpack_module(path)
    os.unlink(path)
    path = os.path.join(os.path.dirname(path), os.path.basename(path).split(".ko")[0] + ".ko")
    write_bytes(path, plain)
    noise = write_bytes(path + ".debug", b"debug debug " * 40000)
    vm.run(["objcopy", "--add-section", ".debug_info=" + noise, "--add-section",
            ".debug_str=" + noise, path])
    os.unlink(noise)
    expect(os.path.getsize(path) > len(plain) + 900000, "objcopy added nothing")
    return plain


def unpacked_module(files, name):
    data = contents(os.path.join(files, "lib/modules/vmcore-save", name))
    return subprocess.run(["zstd", "-dcq"], input=data, stdout=subprocess.PIPE, check=True).stdout


@test("appliance/package", "appliance")
def unpacked_package():
    """A kernel's package that was only unpacked: nobody ran depmod. The image has the same modules,
    each behind what it needs."""
    with tempfile.TemporaryDirectory(prefix="vmcore-appliance-") as top:
        root = root_make(os.path.join(top, "root"))
        image_make(root, os.path.join(top, "1.img"))
        modules = os.path.join(root, "usr/lib/modules", kernel().release)
        for name in os.listdir(modules):
            if name.startswith("modules.") and name not in (
                    "modules.builtin", "modules.builtin.modinfo", "modules.order"):
                os.unlink(os.path.join(modules, name))
        os.unlink(os.path.join(root, "lib"))  # as in a package of a merged system
        said = image_make(root, os.path.join(top, "2.img"))
        expect_in("looking into each module", said, "what vmcore-mkimage says")
        lists = []
        for image in ("1", "2"):
            files = unpack(os.path.join(top, image + ".img"), os.path.join(top, image))
            lists.append(text_of(files, "etc/vmcore-save/modules").splitlines())
        expect(sorted(lists[0]) == sorted(lists[1]), "the images have %s and %s" % tuple(lists))
        there = []
        for line in lists[1]:
            name = os.path.basename(line.split()[0])[:-len(".ko")]
            path = write_bytes(os.path.join(top, "m.ko"), unpacked_module(files, name + ".ko"))
            needs = vm.run(["modinfo", "-F", "depends", path]).strip().split(",")
            expect(all(n in there for n in needs if n), "%s comes before %s" % (name, needs))
            there.append(name)


@test("appliance/firmware", "appliance")
def firmware():
    """What a needed module asks for, and what the description names, as far as it is there; links
    lead within the root."""
    with tempfile.TemporaryDirectory(prefix="vmcore-appliance-") as top:
        root = root_make(os.path.join(top, "root"))
        modules = os.path.join(root, "usr/lib/modules", kernel().release)
        module = "jr3_pci"
        asks = glob.glob(modules + "/kernel/drivers/comedi/drivers/%s.ko*" % module)[0]
        name = vm.run(["modinfo", "-F", "firmware", asks]).split()[0]
        fw = os.path.join(root, "usr/lib/firmware")
        write(os.path.join(fw, name), "asked for")
        write(os.path.join(fw, "acme/nic.bin.xz"), "named")
        write(os.path.join(fw, "other.bin"), "not named")
        write(os.path.join(root, "etc/secret"), "of the appliance")
        os.symlink("/etc/secret", os.path.join(fw, "acme/link.bin"))
        write(os.path.join(root, "hardware"), "driver %s\nfirmware acme/nic.bin ?none.bin\n"
              "firmware acme/link.bin\n" % module)
        image_make(root, os.path.join(top, "img"))
        files = os.path.join(unpack(os.path.join(top, "img"), os.path.join(top, "files")),
                             "lib/firmware")
        got = {os.path.relpath(os.path.join(base, n), files): contents(os.path.join(base, n))
               for base, _, names in os.walk(files) for n in names}
        expect(got == {name: b"asked for", "acme/nic.bin.xz": b"named",
                       "acme/link.bin": b"of the appliance"}, "firmware: %s" % got)


def change(root, name, text):
    write(os.path.join(root, name), text)


def other_machine(root):
    """The program of another machine: aarch64."""
    with open(os.path.join(root, "usr/sbin/vmcore-save"), "r+b") as f:
        f.seek(18)
        f.write(b"\xb7\0")


def dynamic(root):
    shutil.copy("/bin/ls", os.path.join(root, "usr/sbin/vmcore-save"))


def second_kernel(root):
    os.mkdir(os.path.join(root, "lib/modules/0.0.1"))


def absolute_link(root):
    """Leads to a file of this system, were it followed there."""
    os.unlink(os.path.join(root, "etc/vmcore-save.conf"))
    os.symlink("/etc/passwd", os.path.join(root, "etc/vmcore-save.conf"))


# What is wrong, and what is said of it; a name or more options.
REFUSALS = (
    ("missing module", lambda r: change(r, "hardware", "driver virtio_blk\ndriver acme\n"),
     "/hardware:2: kernel %(release)s has no module acme", ()),
    ("missing modalias", lambda r: change(r, "hardware", "pci:v0000ACMEd00000001\n"),
     "/hardware:1: kernel %(release)s has no module pci:v0000ACMEd00000001", ()),
    ("bad description", lambda r: change(r, "hardware", "\nmodule virtio_blk\n"),
     "/hardware:2: not driver, modalias, firmware or options: module", ()),
    ("options of nothing", lambda r: change(r, "hardware", "driver virtio_blk\noptions nvme a=1\n"),
     "/hardware:2: options nvme: the image does not load it", ()),
    ("missing firmware", lambda r: change(r, "hardware", "driver virtio_blk\nfirmware a/b.bin\n"),
     "/hardware:2: firmware %(root)s/lib/firmware/a/b.bin: No such file", ()),
    ("bad configuration", lambda r: change(r, "etc/vmcore-save.conf", "ext4 LABEL=x\npath x\n"),
     "/etc/vmcore-save.conf:2: path:", ()),
    ("no target", lambda r: change(r, "etc/vmcore-save.conf", "path /x\n"),
     "/etc/vmcore-save.conf: no target", ()),
    ("no configuration", absolute_link, "/etc/vmcore-save.conf: No such file", ()),
    ("file system that the kernel has not",
     lambda r: change(r, "etc/vmcore-save.conf", "nilfs9 LABEL=x\n"), "nilfs9", ()),
    ("hook without a line", lambda r: change(r, "etc/vmcore-save.conf",
                                             "ext4 LABEL=x\nkdump_post /hook\n"),
     "kdump_post: ", ()),
    ("shell without a shell", lambda r: change(r, "etc/vmcore-save.conf",
                                               "ext4 LABEL=x\nfailure_action shell\n"),
     "failure_action shell: ", ("-D", "BUSYBOX=")),
    ("two kernels", second_kernel, "name one, such as --kernel 0.0.1", ()),
    ("no such kernel", lambda r: None, "no modules of a kernel 9.9", ("--kernel", "9.9")),
    ("another machine's program", other_machine, "/init for aarch64", ()),
    ("dynamic program", dynamic, "build it static", ()),
    ("no program", lambda r: os.unlink(os.path.join(r, "usr/sbin/vmcore-save")),
     "-D VMCORE_SAVE=FILE names another", ()),
    ("added file", lambda r: change(r, "more", "dir /usr 0755\nfile /usr/hook none 0755\n"),
     "more:2: none: No such file", ("--add", "%(root)s/more")),
    ("hook's shell", lambda r: (change(r, "hook", "#!/bin/bash\n"),
                                change(r, "more", "file /hook ${ROOT}/hook 0755\n")),
     "/hook needs /bin/bash", ("--add", "%(root)s/more")),
    ("manifest without drivers", lambda r: change(r, "m", "file /init ${VMCORE_SAVE} 0755\n"),
     "no line of %(root)s/m has ${DRIVERS}", ("--manifest", "%(root)s/m")),
)


@test("appliance/refusals", "appliance")
def refusals():
    """What could not capture a crash is refused in a sentence, and the image before it stays."""
    with tempfile.TemporaryDirectory(prefix="vmcore-appliance-") as top:
        whole = root_make(os.path.join(top, "whole"))
        out = write(os.path.join(top, "img"), "an image before")
        words = {"release": kernel().release, "root": os.path.join(top, "root")}
        for what, spoil, sentence, options in REFUSALS:
            root = words["root"]
            shutil.copytree(whole, root, symlinks=True, copy_function=os.link)
            for name in ("hardware", "etc/vmcore-save.conf", "usr/sbin/vmcore-save"):
                path = os.path.join(root, name)
                os.unlink(path)
                shutil.copy(os.path.join(whole, name), path)
            spoil(root)
            status, said = mkimage("--root", root, "--hardware", os.path.join(root, "hardware"),
                                   "-o", out, *(option % words for option in options), cwd=top)
            expect(status == 1, "%s: exit status %d: %s" % (what, status, said))
            expect_in(sentence % words, said, "what vmcore-mkimage says of a " + what)
            expect(contents(out) == b"an image before", what + ": the old image has gone")
            left = set(os.listdir(top)) - {"whole", "root", "img"}
            expect(not left, "%s: left behind: %s" % (what, left))
            shutil.rmtree(root)
        status, said = mkimage("--root", whole, "-o", out,
                               env=dict(os.environ, SOURCE_DATE_EPOCH="today"))
        expect(status == 1, "exit status %d for a bad SOURCE_DATE_EPOCH" % status)
        expect_in("SOURCE_DATE_EPOCH=today", said, "what vmcore-mkimage says")


@test("appliance/panic", "appliance-panic", long=True)
def panic():
    """A stock kernel panics; the image, made from a root file system of which nothing ran, saves the
    dump. A module of it had debug information, which was cut out."""
    root = root_make(cores.out_dir("appliance-root"))
    modules = os.path.join(root, "usr/lib/modules", kernel().release)
    fatten(glob.glob(modules + "/kernel/drivers/block/virtio_blk.ko*")[0])
    out = cores.out_dir("appliance.img")
    image_make(root, out, "--compress", "zstd")
    shutil.rmtree(root)
    machine = crash.Machine(cores.out_dir("appliance"), kernel(), image=out, accel=cores.accel())
    machine.prepare(size="1G")
    machine.run()
    boots = [at for at, text in machine.vm.lines if "Linux version " in text]
    expect(len(boots) == 3, "%d kernels booted, not three" % len(boots))
    complete(machine)
