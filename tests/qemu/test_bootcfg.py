# SPDX-License-Identifier: GPL-2.0-or-later
"""vmcorectl setup and the boot loaders of distributions, on made-up systems: below --root, where
files alone change, and in a chroot, with stand-ins for the boot loaders' programs."""

import json
import os
import re
import shutil
import subprocess

import vm
from harness import expect, expect_in, test
from test_control import System

ID = "0123456789abcdef0123456789abcdef"
SEVERAL = "1G,high 128M,low"
WORDS = "crashkernel=1G,high crashkernel=128M,low"


def entry(options, **more):
    keys = dict({"title": "Linux", "version": "6.8", "linux": "/vmlinuz-6.8",
                 "initrd": "/initramfs-6.8.img"}, **more)
    return "".join("%s %s\n" % (k.replace("_", "-"), v) for k, v in keys.items()) + \
        "options %s\n" % options + "grub_class fedora\n"


def grubenv(text):
    """GRUB's environment block; of one it makes it whole again after a change."""
    block = "# GRUB Environment Block\n" + text.replace("# GRUB Environment Block\n", "")
    return block.rstrip("#").ljust(1024, "#")


# The files as installers leave them; "@" is where a value stands or comes, with its blank.
FEDORA = {
    "etc/default/grub": 'GRUB_TIMEOUT=5\nGRUB_DEFAULT=saved\nGRUB_DISABLE_SUBMENU=true\n'
                        'GRUB_CMDLINE_LINUX="rd.lvm.lv=fedora/root rhgb quiet@"\n'
                        'GRUB_ENABLE_BLSCFG=true\n',
    "etc/kernel/cmdline": "root=UUID=1 ro rd.lvm.lv=fedora/root rhgb quiet@\n",
    "boot/loader/entries/%s-6.8.5-301.fc40.x86_64.conf" % ID:
        entry("root=UUID=1 ro rd.lvm.lv=fedora/root rhgb quiet@"),
    "boot/loader/entries/%s-0-rescue.conf" % ID:
        entry("root=UUID=1 ro rhgb quiet@", version="0-rescue-" + ID),
    "boot/grub2/grubenv": grubenv("saved_entry=x\nboot_success=0\n"),
    "boot/grub2/grub.cfg": "insmod blscfg\nblscfg\n",
    "usr/sbin/grubby": "",
}
RHEL8 = {
    "etc/default/grub": 'GRUB_CMDLINE_LINUX="crashkernel=@ resume=/dev/mapper/s rhgb quiet"\n'
                        'GRUB_ENABLE_BLSCFG=true\n',
    "boot/loader/entries/%s-4.18.0-372.el8.x86_64.conf" % ID:
        entry("$kernelopts $tuned_params", grub_users="$grub_users"),
    "boot/efi/EFI/redhat/grubenv":
        grubenv("saved_entry=x\nkernelopts=root=/dev/mapper/r ro crashkernel=@ rhgb quiet \n"),
}
DEBIAN = {
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
                        'GRUB_CMDLINE_LINUX=""\n',
    "usr/sbin/update-grub": "",
}
OPENSUSE = {
    "etc/default/grub": 'GRUB_DISTRIBUTOR=\nGRUB_CMDLINE_LINUX_DEFAULT="splash=silent '
                        'mitigations=auto quiet security=apparmor@"\nGRUB_CMDLINE_LINUX=""\n',
    "boot/grub2/grub.cfg": "",
    "usr/sbin/grub2-mkconfig": "",
    "etc/sysconfig/bootloader": 'LOADER_TYPE="grub2-efi"\n',
}
ARCH = {
    "etc/default/grub": "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT='loglevel=3 quiet@'\n",
    "boot/grub/grub.cfg": "",
    "usr/bin/grub-mkconfig": "#!/bin/sh\n. /etc/default/grub\n",
}
ARCH_SYSTEMD_BOOT = {
    "boot/loader/loader.conf": "default arch.conf\n",
    "boot/loader/entries/arch.conf": entry("root=PARTUUID=1 rw@"),
    "boot/loader/entries/memtest.conf": "title memtest\nefi /memtest86+/memtest.efi\noptions a\n",
    "boot/EFI/systemd/systemd-bootx64.efi": "",
}
DEBIAN_SYSTEMD_BOOT = {
    "etc/machine-id": ID + "\n",
    "etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
    "boot/grub/grub.cfg": "",
    "boot/efi/loader/entries/%s-6.1.0-18-amd64.conf" % ID:
        entry("root=UUID=1 ro quiet systemd.machine_id=%s@" % ID, machine_id=ID),
    "boot/efi/loader/entries/other.conf": entry("root=/dev/other", machine_id="f" * 32),
    "boot/efi/EFI/systemd/systemd-bootx64.efi": "",
    "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f":
        "\6\0\0\0" + "".join(c + "\0" for c in "systemd-boot 252.22-1~deb12u1"),
}
U_BOOT = {
    "boot/extlinux/extlinux.conf":
        "default l0\nmenu title U-Boot menu\nprompt 0\ntimeout 50\n\n\nlabel l0\n"
        "\tmenu label Debian GNU/Linux 12 6.1.0-18-arm64\n\tlinux /boot/vmlinuz-6.1.0-18-arm64\n"
        "\tinitrd /boot/initrd.img-6.1.0-18-arm64\n\n\tappend root=UUID=1 ro quiet@\n\n"
        "label l0r\n\tlinux /boot/vmlinuz-6.1.0-18-arm64\n\tappend root=UUID=1 single@\n",
    "etc/default/u-boot": 'U_BOOT_PARAMETERS="ro quiet@"\n',
}
ALPINE = {
    "boot/extlinux.conf":
        "DEFAULT menu.c32\nPROMPT 0\nLABEL lts\n  MENU DEFAULT\n  LINUX vmlinuz-lts\n"
        "  INITRD initramfs-lts\n  APPEND root=UUID=1 modules=ext4 quiet@\n\n"
        "LABEL other\n  COM32 chain.c32\n  APPEND hd0 1\n",
    "etc/update-extlinux.conf": 'overwrite=1\ndefault_kernel_opts="quiet rootfstype=ext4@"\n',
}
RASPBERRY = {
    "boot/firmware/config.txt": "arm_64bit=1\n",
    "boot/firmware/cmdline.txt": "console=serial0,115200 root=PARTUUID=1-02 rootwait@\n",
}
LAYOUTS = {"fedora": FEDORA, "opensuse": OPENSUSE, "arch": ARCH,
           "arch-systemd-boot": ARCH_SYSTEMD_BOOT, "debian-systemd-boot": DEBIAN_SYSTEMD_BOOT,
           "u-boot": U_BOOT, "alpine": ALPINE, "raspberry": RASPBERRY}


def lay(name, files, word=""):
    system = System("boot-" + name)
    for path, text in files.items():
        system.write(path, filled(path, text, word))
    return system


def filled(path, text, word):
    text = text.replace("@", word)
    return grubenv(text) if path.endswith("grubenv") else text


def snapshot(system):
    """All that a boot loader, or its programs, could read."""
    found = {}
    for top in ("boot", "etc"):
        for folder, _, names in os.walk(system.path(top)):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), system.root)
                found[path] = os.readlink(system.path(path)) if os.path.islink(system.path(path)) \
                    else system.read_bytes(path)
    return found


def told(system, *args, status=0):
    got, text, said = system.ctl("setup", "--json", *args)
    expect(got == status, "setup %s: exit status %d: %s" % (args, got, said))
    return dict(json.loads(text), said=said)


def expect_files(system, files, word):
    for path, text in files.items():
        if "@" in text:
            expect(system.read(path) == filled(path, text, word),
                   "%s with %s is\n%s" % (path, word, system.read(path)))


@test("control/boot-loaders", "control")
def boot_loaders():
    """Set, changed, kept and taken away: each file to the byte, whatever it had before."""
    for name, files in LAYOUTS.items():
        for before in ("", " crashkernel=1G-4G:192M,4G-:256M", " " + WORDS):
            system = lay(name, files, before)
            old = snapshot(system)
            if before:
                kept = told(system)
                expect(not kept["changed"] and snapshot(system) == old,
                       "%s: what was there does not stay: %s" % (name, kept))
                expect(kept["crashkernel"] == before.strip().replace("crashkernel=", ""),
                       "%s has %s" % (name, kept))
                expect_in("not by vmcorectl", told(system, "--remove")["said"], name)
                expect(snapshot(system) == old, name + ": what was not ours is gone")
            expect(told(system, "--crashkernel=192M", "--dry-run")["changed"] and
                   snapshot(system) == old, name + ": not dry")
            expect(told(system, "--crashkernel=192M")["changed"], name + ": not changed")
            expect_files(system, files, " crashkernel=192M")
            expect(not told(system)["changed"], name + ": changed again")
            told(system, "--crashkernel=" + SEVERAL)
            expect_files(system, files, " " + WORDS)
            expect(told(system)["crashkernel"] == SEVERAL, name + ": it forgets")
            again = told(system, "--remove")
            expect(snapshot(system) == old and again["changed"], name + ": not as it was")
            expect(not os.path.exists(system.path("var/lib/vmcore-save/boot-loader")),
                   name + ": it still remembers")
            shutil.rmtree(system.root)


@test("control/boot-rhel8", "control")
def rhel8():
    """kernelopts in GRUB's environment, behind a link; a full block; links to elsewhere."""
    system = lay("rhel8", RHEL8, "auto")
    os.makedirs(system.path("boot/grub2"))
    os.symlink("../efi/EFI/redhat/grubenv", system.path("boot/grub2/grubenv"))
    old = snapshot(system)
    first = told(system, "--crashkernel=192M")
    expect("/boot/grub2/grubenv" in first["files"], "told %s" % first)
    expect(os.path.islink(system.path("boot/grub2/grubenv")), "the link is gone")
    env = system.read("boot/efi/EFI/redhat/grubenv")
    expect(len(env) == 1024, "the block has %d bytes" % len(env))
    expect_in("kernelopts=root=/dev/mapper/r ro crashkernel=192M rhgb quiet \n", env, "the block")
    expect_files(system, {"etc/default/grub": RHEL8["etc/default/grub"]}, "192M")
    conf = "boot/loader/entries/%s-4.18.0-372.el8.x86_64.conf" % ID
    expect(system.read_bytes(conf) == old[conf], "the entry has it twice")
    expect(not told(system)["changed"], "changed again")
    # Somebody appends a word: our value alone goes.
    system.write("boot/efi/EFI/redhat/grubenv", grubenv(env.replace("quiet \n", "quiet x=1 \n")))
    told(system, "--remove")
    expect_in("kernelopts=root=/dev/mapper/r ro crashkernel=auto rhgb quiet x=1 \n",
              system.read("boot/efi/EFI/redhat/grubenv"), "the block")
    expect_files(system, {"etc/default/grub": RHEL8["etc/default/grub"]}, "auto")

    # The machine went down before it was written down what the files became.
    told(system, "--crashkernel=192M")
    memory = "var/lib/vmcore-save/boot-loader"
    expect(os.stat(system.path(memory)).st_mode & 0o777 == 0o600, "others may read it")
    system.write(memory, re.sub("^(file [0-9]+) [0-9a-f]{64} ", r"\1 - ", system.read(memory),
                                flags=re.MULTILINE))
    expect_in(" - /boot/grub2/grubenv\n", system.read(memory), memory)
    told(system, "--remove")
    expect_in("ro crashkernel=auto rhgb", system.read("boot/efi/EFI/redhat/grubenv"), "the block")
    expect_files(system, {"etc/default/grub": RHEL8["etc/default/grub"]}, "auto")

    full = "# GRUB Environment Block\nkernelopts=a \nx=" + "y" * 975 + "\n"
    system.write("boot/efi/EFI/redhat/grubenv", grubenv(full))
    expect(os.path.getsize(system.path("boot/efi/EFI/redhat/grubenv")) == 1024, "no full block")
    old = snapshot(system)
    system.refuses("the block of 1024 bytes is full", "setup", "--crashkernel=192M")
    expect(snapshot(system) == old, "a refusal changes files")
    # No block, no kernelopts: the entry itself.
    os.unlink(system.path("boot/grub2/grubenv"))
    told(system, "--crashkernel=192M")
    expect_in("options $kernelopts $tuned_params crashkernel=192M\n", system.read(conf), conf)
    told(system, "--remove")
    os.symlink("/etc/passwd", system.path("boot/grub2/grubenv"))
    system.refuses("leads out of", "setup", "--crashkernel=192M")


@test("control/boot-later", "control")
def later():
    """Kernels, words and entries that come between set and remove."""
    system = lay("later", FEDORA)
    told(system, "--crashkernel=192M")
    new = "boot/loader/entries/%s-6.9.conf" % ID
    made = system.read("etc/kernel/cmdline").strip()
    system.write(new, entry(made, version="6.9"))
    gone = "boot/loader/entries/%s-0-rescue.conf" % ID
    os.unlink(system.path(gone))
    system.write("etc/kernel/cmdline", made + " x=1\n")
    expect(not told(system)["changed"], "a new entry changes something")
    told(system, "--crashkernel=256M")
    expect_in("quiet crashkernel=256M\n", system.read(new), new)
    os.chmod(system.path(new), 0o600)
    told(system, "--remove")
    expect(system.read(new) == entry(made.replace(" crashkernel=192M", ""), version="6.9"), new)
    expect(os.stat(system.path(new)).st_mode & 0o777 == 0o600, "another mode")
    expect(system.read("etc/kernel/cmdline") ==
           made.replace(" crashkernel=192M", "") + " x=1\n", "the other word is lost")
    expect(not os.path.exists(system.path(gone)), "an entry is back from the dead")

    # The second of the files cannot be written: the first is put back.
    old = snapshot(system)
    os.makedirs(system.path("boot/loader/entries/%s-6.9.conf.new" % ID))
    system.refuses("the configuration of GRUB is as it was", "setup", "--crashkernel=192M")
    os.rmdir(system.path("boot/loader/entries/%s-6.9.conf.new" % ID))
    expect(snapshot(system) == old and
           not os.path.exists(system.path("var/lib/vmcore-save/boot-loader")), "not put back")

    # Reservations that stand apart, and a new kernel where there was one before.
    apart = entry("root=UUID=1 crashkernel=1G,high quiet crashkernel=128M,low")
    system = lay("apart", FEDORA, " crashkernel=auto")
    system.write(gone, apart)
    old = snapshot(system)
    told(system, "--crashkernel=192M")
    expect_in("root=UUID=1 crashkernel=192M quiet\n", system.read(gone), gone)
    system.write(new, entry("root=UUID=1 crashkernel=192M quiet", version="6.9"))
    told(system, "--remove")
    expect_in("root=UUID=1 %s quiet\n" % WORDS, system.read(new), new)
    os.unlink(system.path(new))
    expect(snapshot(system) == old, "not as it was")
    system = lay("later", FEDORA)

    # One kernel without: it is seen, and set for all.
    told(system, "--crashkernel=192M")
    system.write(new, entry("root=/dev/x", version="6.9"))
    expect(told(system)["changed"], "an entry without is not seen")
    expect_in("options root=/dev/x crashkernel=192M\n", system.read(new), new)
    # Another value than ours, by somebody else, stays.
    system.write(new, entry("root=/dev/x crashkernel=512M", version="6.9"))
    told(system, "--remove")
    expect_in("options root=/dev/x crashkernel=512M\n", system.read(new), new)
    # What it remembers is damaged.
    told(system, "--crashkernel=192M")
    system.write("var/lib/vmcore-save/boot-loader", "vmcore-save boot-loader 1\nset \0\n")
    expect_in("is damaged", told(system, "--remove")["said"], "what it says")
    expect_in("crashkernel=192M", system.read("etc/kernel/cmdline"), "what was there is not known")

    system = lay("copied", {**DEBIAN_SYSTEMD_BOOT, "etc/machine-id": "a" * 32 + "\n",
                             "usr/lib/kernel/cmdline": "root=UUID=1 ro quiet\n"})
    told(system, "--crashkernel=192M")
    expect_in(" crashkernel=192M\n", system.read("boot/efi/loader/entries/other.conf"),
              "no entry is of this machine")
    expect(system.read("etc/kernel/cmdline") == "root=UUID=1 ro quiet crashkernel=192M\n",
           "later kernels")
    told(system, "--remove")
    expect(not os.path.exists(system.path("etc/kernel/cmdline")), "a file is left")


@test("control/boot-by-hand", "control")
def by_hand():
    """Where nothing can be written it says what to type, and is not done."""
    system = System("boot-none", crash_size=0)
    none = told(system, status=3)
    expect(none["boot_loader"] is None and none["crashkernel"] == "192M" and
           not none["files"] and not none["changed"], "told %s" % none)
    expect_in("add crashkernel=192M to the kernel's command line yourself", none["left_to_do"],
              "what is left")
    code, text, _ = system.ctl("setup", "--crashkernel=" + SEVERAL)
    expect(code == 3 and text == "still to be done: no boot loader whose configuration is known "
           "here: add %s to the kernel's command line yourself\n" % WORDS, "%d: %s" % (code, text))
    expect(told(system, "--remove")["left_to_do"] is None, "there was nothing")
    system.write("sys/kernel/kexec_crash_size", "201326592\n")
    expect(told(system)["reboot_needed"] is False, "it is reserved already")
    expect_in("take crashkernel= out", told(system, "--remove", status=3)["left_to_do"], "left")

    system = System("boot-ostree", crash_size=0)
    system.write("run/ostree-booted", "")
    system.write("boot/loader/entries/ostree-1-fedora.conf", entry("root=UUID=1 rw"))
    old = snapshot(system)
    hand = told(system, "--crashkernel=" + SEVERAL, status=3)
    expect(hand["left_to_do"] == "rpm-ostree kargs --delete-if-present=crashkernel "
           "--append=crashkernel=1G,high --append=crashkernel=128M,low", "told %s" % hand)
    expect(snapshot(system) == old and not hand["changed"] and hand["boot_loader"] == "ostree",
           "told %s" % hand)
    system.write("boot/loader/entries/ostree-1-fedora.conf",
                 entry("root=UUID=1 rw crashkernel=192M"))
    expect(told(system)["left_to_do"] is None, "it is there already")

    system = System("boot-uki", crash_size=0)
    for name in ("efi/EFI/systemd/systemd-bootx64.efi", "efi/EFI/Linux/linux-6.8.efi"):
        system.write(name, "")
    system.write("etc/kernel/cmdline", "root=UUID=1 rw\n")
    uki = told(system, status=3)
    expect_in("/efi/EFI/Linux/linux-6.8.efi is a unified kernel image", uki["left_to_do"], "left")
    expect(system.read("etc/kernel/cmdline") == "root=UUID=1 rw crashkernel=192M\n", "the line")

    system = lay("odd", {**OPENSUSE, "etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="a\n'})
    old = snapshot(system)
    system.refuses("it is not written as it is known here: add crashkernel=192M", "setup")
    expect(snapshot(system) == old, "an odd file is changed")
    system.write("etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="crashkernel=$S"\n')
    expect(not told(system)["changed"], "what is not understood does not stay")
    system = lay("mixed", FEDORA)
    system.write("boot/loader/entries/a.conf", "linux /a\noptions crashkernel=$x\n")
    system.refuses("by --crashkernel=SIZE", "setup")


# ---- in a chroot, with stand-ins for the programs; each notes how it was called
MKCONFIG = r"""#!/bin/sh
echo "$0 $*" >>/calls
[ ! -e /fails ] || exit 1
. /etc/default/grub
for f in /etc/default/grub.d/*.cfg; do [ ! -e "$f" ] || . "$f"; done
to=${2:-/boot/grub/grub.cfg}
{
	echo "### BEGIN /etc/grub.d/10_linux ###"
	echo "	linux	/vmlinuz root=UUID=1 ro $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT"
	echo "	linux	/vmlinuz root=UUID=1 ro single $GRUB_CMDLINE_LINUX"
	echo "### END /etc/grub.d/10_linux ###"
	echo "### BEGIN /etc/grub.d/30_os-prober ###"
	echo "	linux	/other root=UUID=2"
} >"$to"
"""
PLAIN_MKCONFIG = "".join(l for l in MKCONFIG.splitlines(True) if "grub.d/*" not in l)
SDBOOTUTIL = r"""#!/bin/sh
echo "$0 $*" >>/calls
read -r line </etc/kernel/cmdline
for f in /boot/efi/loader/entries/*.conf; do
	[ -e /fails ] || sed -i "s|^options.*|options $line|" "$f"
done
"""
GRUBBY = r"""#!/bin/sh
echo "$0 $*" >>/calls
case $* in
--info=ALL)
	while read -r line; do printf 'index=0\nargs="%s"\ntitle="x"\n' "$line"; done </menu ;;
*--remove-args=*) sed -i 's| crashkernel=[^ ]*||g' /menu ;;
*--args=*) sed -i -e 's| crashkernel=[^ ]*||g' -e "s|\$| ${2#--args=}|" /menu ;;
esac
"""
NOTHING = "#!/bin/sh\n"
DRACUT = """#!/bin/sh
cd / && echo etc/vmcore-save.conf | cpio -o -H newc 2>/dev/null | gzip >"$3"
"""


class Chroot(System):
    """A system that is its own root, in which vmcorectl runs programs."""

    def __init__(self, name, files, programs, word=""):
        super().__init__("boot-" + name, crash_size=0)
        release = os.uname().release
        files = {"boot/vmlinuz-" + release: "kernel", "usr/sbin/vmcore-save": "", "dev/null": "",
                 "lib/modules/%s/modules.dep" % release: "", **files}
        programs = {"vmcore-save-dracut": DRACUT, "kexec-loader": NOTHING, **programs}
        for path, text in files.items():
            self.write(path, filled(path, text, word))
        for program, text in programs.items():
            self.write("usr/sbin/" + program, text)
            os.chmod(self.path("usr/sbin/" + program), 0o755)
        shutil.copy(os.path.join(vm.build_dir(), "vmcorectl"), self.path("usr/sbin/vmcorectl"))
        shutil.copy("/bin/busybox", self.path("bin/busybox"))
        for applet in ("sh", "sed", "cpio", "gzip", "cat"):
            os.symlink("busybox", self.path("bin/" + applet))
        os.makedirs(self.path("tmp"))

    def ctl(self, *args):
        argv = [] if os.geteuid() == 0 else ["unshare", "-r"]
        argv += ["chroot", self.root, "/usr/sbin/vmcorectl", *args]
        done = subprocess.run(argv, env={"PATH": "/usr/sbin:/bin"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                              timeout=60)
        return done.returncode, done.stdout, done.stderr

    def calls(self):
        text = self.read("calls") if os.path.exists(self.path("calls")) else ""
        self.write("calls", "")
        return text


def without_images(found):
    return {k: v for k, v in found.items() if "initrd-vmcore-save" not in k and
            not k.endswith("grub.cfg")}


@test("control/boot-grub", "control")
def grub():
    """What grub-mkconfig made of it is looked at, and who took the word away is named."""
    system = Chroot("grub", DEBIAN, {"update-grub": MKCONFIG})
    os.makedirs(system.path("boot/grub"))
    old = without_images(snapshot(system))
    first = told(system, "--crashkernel=192M")
    expect(first["changed"] and first["file"] == "/etc/default/grub.d/vmcore-save.cfg",
           "told %s" % first)
    expect(system.calls() == "/usr/sbin/update-grub \n", "it was not called")
    expect_in("ro  quiet crashkernel=192M\n", system.read("boot/grub/grub.cfg"), "grub.cfg")
    expect(not told(system)["changed"] and not system.calls(), "changed again")
    # Another writes grub.cfg without it: not in force, so made again.
    system.write("boot/grub/grub.cfg", "linux /vmlinuz quiet\n")
    expect(told(system)["changed"], "not seen that it does not count")
    expect_in("crashkernel=192M\n", system.read("boot/grub/grub.cfg"), "grub.cfg")

    later = "etc/default/grub.d/zz-local.cfg"
    system.write(later, "# ours\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet console=ttyS0\"\n")
    system.refuses("/%s:2 sets GRUB_CMDLINE_LINUX_DEFAULT anew" % later, "setup",
                   "--crashkernel=256M")
    system.refuses("/%s:2 sets GRUB_CMDLINE_LINUX_DEFAULT anew" % later, "setup")
    system.write(later, "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT console=x\"\n")
    expect(told(system)["crashkernel"] == "256M", "it is not set after all")
    system.write("usr/sbin/update-grub", MKCONFIG.replace(" $GRUB_CMDLINE_LINUX_DEFAULT\"", "\""))
    system.refuses("look into /etc/default/grub and /etc/grub.d", "setup", "--crashkernel=64M")
    system.write("usr/sbin/update-grub", MKCONFIG)
    system.write("fails", "")
    system.refuses("the configuration of GRUB is as it was", "setup", "--crashkernel=512M")
    expect_in("crashkernel=64M", system.read("etc/default/grub.d/vmcore-save.cfg"), "put back")
    system.refuses("the configuration of GRUB is as it was", "setup", "--remove")
    os.unlink(system.path("fails"))
    os.unlink(system.path(later))
    told(system, "--remove")
    expect(without_images(snapshot(system)) == old, "not as it was")
    expect("crashkernel" not in system.read("boot/grub/grub.cfg"), "grub.cfg has it")

    # Below another root no program runs, but what will stand in the way is known.
    system = lay("grub-root", {**DEBIAN, later: "GRUB_CMDLINE_LINUX_DEFAULT=quiet\n"})
    system.refuses("/%s:1 sets" % later, "setup")

    for name, files, program, made in (
            ("suse", OPENSUSE, "grub2-mkconfig", "/boot/grub2/grub.cfg"),
            ("arch", {k: v for k, v in ARCH.items() if "bin" not in k}, "grub-mkconfig",
             "/boot/grub/grub.cfg")):
        system = Chroot("grub-" + name, files, {program: PLAIN_MKCONFIG})
        old = without_images(snapshot(system))
        told(system, "--crashkernel=" + SEVERAL)
        expect(system.calls() == "/usr/sbin/%s -o %s\n" % (program, made), "another call")
        expect_in(WORDS + "\n", system.read(made[1:]), made)
        expect(told(system)["crashkernel"] == SEVERAL, "it forgets")
        told(system, "--remove")
        expect(without_images(snapshot(system)) == old, name + ": not as it was")
        expect("crashkernel" not in system.read(made[1:]), made + " has it")


@test("control/boot-programs", "control")
def programs():
    """openSUSE's sdbootutil, and grubby where there are no entries: what they made is looked at."""
    conf = "boot/efi/loader/entries/opensuse-tumbleweed-6.8-1.conf"
    for kind in ("systemd-boot", "grub2-bls"):
        system = Chroot("sdbootutil", {
            "etc/sysconfig/bootloader": 'LOADER_TYPE="%s"\n' % kind, "usr/bin/sdbootutil": "",
            "etc/kernel/cmdline": "root=UUID=1 quiet\n", conf: entry("root=UUID=1 quiet"),
            "etc/default/grub": "", "boot/grub2/grub.cfg": ""}, {"sdbootutil": SDBOOTUTIL})
        old = without_images(snapshot(system))
        told(system, "--crashkernel=192M")
        expect_in("sdbootutil update-all-entries\n", system.calls(), "the calls")
        expect_in("options root=UUID=1 quiet crashkernel=192M\n", system.read(conf), conf)
        system.write(conf, entry("root=UUID=1 quiet"))
        expect(told(system)["changed"], "not seen that the entry lacks it")
        told(system, "--remove")
        expect(without_images(snapshot(system)) == old, "not as it was")
        system.write("fails", "")
        system.refuses("does not have crashkernel=64M everywhere", "setup", "--crashkernel=64M")
    # Entries of other snapshots keep what they have, and are not asked for it.
    system = Chroot("sdbootutil-snapshots", {
        "etc/kernel/cmdline": "root=UUID=1 quiet rootflags=subvol=@/2\n", "usr/bin/sdbootutil": "",
        "proc/cmdline": "root=UUID=1 quiet rootflags=subvol=@/2\n",
        conf: entry("root=UUID=1 quiet rootflags=subvol=@/2"),
        conf.replace("-1.conf", "-2.conf"): entry("root=UUID=1 quiet rootflags=subvol=@/1")},
        {"sdbootutil": SDBOOTUTIL.replace("*.conf", "*-1.conf")}, word="@")
    told(system, "--crashkernel=192M")
    expect_in("rootflags=subvol=@/2 crashkernel=192M\n", system.read(conf), conf)
    expect(not told(system)["changed"], "changed again")
    system.write(conf, entry("root=UUID=1 quiet rootflags=subvol=@/2"))
    expect(told(system)["changed"], "not seen that the entry of this snapshot lacks it")
    os.unlink(system.path("etc/kernel/cmdline"))
    system.refuses("write the kernel's command line into it", "setup")

    system = Chroot("grubby", {"menu": "ro quiet\nro rescue\n"}, {"grubby": GRUBBY})
    told(system, "--crashkernel=" + SEVERAL)
    expect(system.read("menu") == "ro quiet %s\nro rescue %s\n" % (WORDS, WORDS),
           system.read("menu"))
    expect_in("grubby --update-kernel=ALL --args=%s\n" % WORDS, system.calls(), "the calls")
    expect(told(system)["crashkernel"] == SEVERAL and "--args" not in system.calls(), "again")
    system.write("menu", "ro quiet %s\nro rescue\n" % WORDS)
    expect(told(system)["changed"], "not seen that one lacks it")
    told(system, "--remove")
    expect(system.read("menu") == "ro quiet\nro rescue\n", system.read("menu"))
    system.write("menu", "ro quiet crashkernel=auto\n")
    told(system, "--crashkernel=64M")
    told(system, "--remove")
    expect(system.read("menu") == "ro quiet crashkernel=auto\n", system.read("menu"))
