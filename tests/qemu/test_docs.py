# SPDX-License-Identifier: GPL-2.0-or-later
"""What the documents quote exists, and what they tell to run does what they say."""

import os
import re
import shutil
import subprocess

import vm
from harness import expect, expect_in, test
from test_control import IMAGE, RELEASE, START, System
from test_control_check import image


def check_docs(*tree):
    script = os.path.join(vm.TOP, "tests", "check-docs")
    env = dict(os.environ, O=vm.build_dir())
    done = subprocess.run([script, *tree], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", env=env)
    return done.returncode, done.stdout


# (in which file, what stands there, what is put in its place, what has to be found)
PLANTED = (
    ("README.md", "[appliance](docs/appliance.md)", "appliance", "no link to docs/appliance.md"),
    ("README.md", "(docs/failures.md)", "(docs/mistakes.md)", "no such file: docs/mistakes.md"),
    ("README.md", "measurements.md#the-smallest-reservation", "measurements.md#no-such-thing",
     "no such heading"),
    ("docs/operations.md", "`vmcorectl show --verify`", "`vmcorectl show --very`",
     "vmcorectl has no option --very"),
    ("docs/operations.md", "vmcorectl prune --keep=3", "vmcorectl cleanup --keep=3",
     "vmcorectl has no command cleanup"),
    ("docs/operations.md", "vmcorectl prune --max-size=20G", "vmcorectl list --max-size=20G",
     "vmcorectl has no option --max-size"),
    ("docs/operations.md", "vmcore-save --fetch --erase /dev/disk", "vmcore-save --take /dev/disk",
     "vmcore-save has no option --take"),
    ("docs/operations.md", "`hook_timeout`", "`hook_limit`", "nothing here is called hook_limit"),
    ("docs/operations.md", "keep_dumps 5", "keep_dump 5", "no key of the configuration: keep_dump"),
    ("docs/operations.md", "path /web1", "path web1", "path: must be an absolute path"),
    ("docs/operations.md", "did not appear within 60 s", "did not show up within 60 s",
     "nothing prints this: target: UUID=… did not show up"),
    ("docs/operations.md", "the device is read-only`", "the device is read alone`",
     "nothing prints this: mount: "),
    ("docs/operations.md", "vmcore-save[ 18.7] done: complete:", "vmcore-save[ 18.7] done: good:",
     "no such last line"),
    ("docs/migration.md", "| `KDUMP_VERBOSE` |", "| `KDUMP_VERBOS` |",
     "nothing is said of KDUMP_VERBOSE"),
    ("docs/migration.md", "| `debug_mem_level` |", "| `debug_mem` |",
     "nothing is said of debug_mem_level"),
    ("docs/man/kexec-loader.8", ".B \\-\\-print\\-ckr\\-size", ".B \\-\\-print\\-size",
     "nothing is said of --print-ckr-size"),
    ("docs/man/vmcore-save.8", ".B \\-\\-show\\-stats", ".B \\-\\-show\\-all",
     "no program has --show-all"),
    ("docs/man/vmcore-save.conf.5", ".BI extra_bins", ".BI more_bins",
     "nothing is said of extra_bins"),
    ("docs/image.md", "`initramfs/image.manifest`", "`initramfs/image.recipe`",
     "no such file: initramfs/image.recipe"),
)


@test("check/docs", "check")
def docs():
    status, found = check_docs()
    expect(status == 0, "the documents quote what there is not:\n" + found)
    tree = vm.fresh_dir(os.path.join(vm.build_dir(), "docs-planted"))
    for name in os.listdir(vm.TOP):
        if name in ("docs", "README.md", "CONTRIBUTING.md"):
            continue
        os.symlink(os.path.join(vm.TOP, name), os.path.join(tree, name))
    shutil.copytree(os.path.join(vm.TOP, "docs"), os.path.join(tree, "docs"))
    for name in ("README.md", "CONTRIBUTING.md"):
        shutil.copy(os.path.join(vm.TOP, name), tree)
    for name, before, after, _ in PLANTED:
        with open(os.path.join(tree, name), encoding="utf-8") as f:
            text = f.read()
        expect(before in text, "%s has no '%s' any more" % (name, before))
        with open(os.path.join(tree, name), "w", encoding="utf-8") as f:
            f.write(text.replace(before, after, 1))
    status, found = check_docs(tree)  # and the script does find what is wrong
    for name, _, after, sentence in PLANTED:
        expect(status == 1 and any(line.startswith(name + ":") and sentence in line
                                   for line in found.splitlines()),
               "the script missed '%s' in %s:\n%s" % (after, name, found))
    shutil.rmtree(tree)


def example(name, system):
    """The script of that name in operations.md, for the made-up system: its path."""
    with open(os.path.join(vm.TOP, "docs", "operations.md"), encoding="utf-8") as f:
        found = re.search(r"^```sh %s\n(.*?)^```$" % name, f.read(), re.S | re.M)
    expect(found, "operations.md has no script " + name)
    system.write("bin/" + name, found.group(1).replace("/run/motd.d", system.path("run/motd.d")))
    vm.run(["shellcheck", system.path("bin/" + name)])
    return system.path("bin/" + name)


def run_example(path, system, *args):
    env = dict(os.environ, ROOT=system.root, PATH=system.path("bin") + ":/usr/bin:/bin")
    done = subprocess.run(["/bin/sh", path, *args], stdout=subprocess.PIPE, env=env,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=60)
    return done.returncode, done.stdout


@test("check/monitoring", "check")
def monitoring():
    """The two examples of operations.md, on a system that is not ready, ready, and had a crash."""
    system = System("monitoring", conf="path /var/crash\nwatchdog no\n")
    system.write("lib/modules/%s/modules.builtin" % RELEASE,  # whatever holds the build directory
                 "".join("kernel/%s.ko\n" % name for name in ("ext4", "xfs", "btrfs", "overlay")))
    system.write("bin/vmcorectl", '#!/bin/sh\nexec "%s" "$@" --root="$ROOT"\n' %
                 os.path.join(vm.build_dir(), "vmcorectl"))
    system.write("bin/vmcore-save-dracut", '#!/bin/sh\ncp "$ROOT/builds" "$3"\n')
    for name in ("vmcorectl", "vmcore-save-dracut"):
        os.chmod(system.path("bin/" + name), 0o755)
    image(system)
    plugin = example("check_vmcore_save", system)
    metrics = example("vmcore_save_metrics", system)

    def measured():
        status, said = run_example(metrics, system, system.root)
        expect(status == 0, said)
        return dict(line.rsplit(" ", 1) for line in
                    system.read("vmcore_save.prom").splitlines())

    status, said = run_example(plugin, system)
    expect(status == 2 and said.startswith("CRITICAL: FAIL  armed "), "%d: %s" % (status, said))
    told = measured()
    expect(told["vmcore_save_armed"] == "0" and told['vmcore_save_check{name="armed"}'] == "2" and
           told["vmcore_save_dumps"] == "0", str(told))
    system.does(*START)
    status, said = run_example(plugin, system)
    expect((status, said) == (0, "OK: a crash would be captured\n"), "%d: %s" % (status, said))
    told = measured()
    expect(told["vmcore_save_armed"] == "1" and told["vmcore_save_reserved_bytes"] == "67108864" and
           told["vmcore_save_image_fresh"] == "1" and
           told['vmcore_save_check{name="armed"}'] == "0", str(told))
    system.write("boot/vmlinuz-" + RELEASE, "another")
    status, said = run_example(plugin, system)
    expect(status == 1, "%d: %s" % (status, said))
    expect_in("WARNING: warn  image ", said, "what it says")
    expect(measured()["vmcore_save_image_fresh"] == "0", "the image is fresh")
    system.does(*START)
    system.write("var/crash/2026-11-25-10:00/vmcore-save.json",
                 '{"program": "vmcore-save", "verdict": "log-only", "crash_time": 1795600800}\n')
    system.does("notice")
    status, said = run_example(plugin, system)
    expect(status == 1 and said.startswith("WARNING: this machine has crashed\n"),
           "%d: %s" % (status, said))
    expect_in("/var/crash/2026-11-25-10:00", said, "what it says")
    told = measured()
    expect(told["vmcore_save_dumps"] == "1" and
           int(told["vmcore_save_newest_dump_seconds"]) == 1795600800, str(told))
    system.does("notice", "--clear")
    expect(run_example(plugin, system)[0] == 0, "the notice was not taken back")
    system.write("etc/vmcore-save.conf", "frobnicate 1\n")
    status, said = run_example(plugin, system)
    expect(status == 3 and said.startswith("UNKNOWN: "), "%d: %s" % (status, said))
    os.unlink(system.path(IMAGE[1:]))
