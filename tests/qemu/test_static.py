# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests without a VM: unit tests, sanitizers, fuzzers, and the checks of the tree."""

import glob
import os
import shutil
import subprocess
import tempfile

import vm
from harness import Failure, expect, suite, test

MAKE = os.environ.get("MAKE", "make")


def build(*args, out=None):
    """make in a build directory of its own below the main one."""
    directory = os.path.join(vm.build_dir(), out) if out else vm.build_dir()
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "O")}
    done = subprocess.run([MAKE, "-C", vm.TOP, "O=" + directory, "-j%d" % (os.cpu_count() or 1),
                           *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace", env=env)
    if done.returncode != 0:
        raise Failure("make %s failed:\n%s" % (" ".join(args), done.stdout[-2000:]))
    return directory


def unit_results(argv, prefix):
    """The lines of a unit-test binary as (name, problem)."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8", errors="replace")
    notes = []
    for line in done.stdout.splitlines():
        if line.startswith("ok   unit/"):
            yield prefix + line[len("ok   unit/"):], None
            notes = []
        elif line.startswith("FAIL unit/"):
            yield prefix + line[len("FAIL unit/"):], "\n".join(notes) or "failed"
            notes = []
        else:
            notes.append(line)
    if not notes or not notes[-1].endswith(" failed") or done.returncode > 1:
        yield prefix + "end", "the tests ended early, exit status %d:\n%s" % (
            done.returncode, "\n".join(notes[-30:]))


@suite("unit/", "unit", always=True)
def unit_tests():
    yield from unit_results([os.path.join(vm.build_dir(), "unit-tests")], "unit/")


@suite("sanitized/", "sanitized")
def unit_tests_sanitized():
    directory = build("SAN=1", os.path.join(vm.build_dir(), "san", "unit-tests"), out="san")
    yield from unit_results([os.path.join(directory, "unit-tests")], "sanitized/")


@suite("races/", "races", long=True)
def unit_tests_for_races():
    """What threads do together, under ThreadSanitizer."""
    directory = build("STATIC=0", "CFLAGS=-O1 -g -fsanitize=thread", "LDFLAGS=-fsanitize=thread",
                      os.path.join(vm.build_dir(), "races", "unit-tests"), out="races")
    yield from unit_results([os.path.join(directory, "unit-tests"), "dump/"], "races/")


# The engine's; the others make system calls that valgrind does not know.
UNDER_VALGRIND = ("btf", "classify", "codec", "core/", "core_flattened", "core_kdump",
                  "core_unpack", "deflate", "dump/", "flattened", "kallsyms", "page_run", "plan",
                  "printk", "reassemble", "scan/", "scan_odd", "vital", "vmcoreinfo")


@suite("valgrind/", "valgrind", long=True)
def unit_tests_under_valgrind():
    directory = build("STATIC=0", "DEBUG=1", os.path.join(vm.build_dir(), "dynamic", "unit-tests"),
                      out="dynamic")
    for area in UNDER_VALGRIND:
        yield from unit_results(["valgrind", "-q", "--leak-check=full", "--error-exitcode=99",
                                 os.path.join(directory, "unit-tests"), area],
                                "valgrind/%s/" % area.strip("/"))


@suite("fuzz/", "fuzz")
def fuzz_smoke():
    """Each fuzzer for a short while; $FUZZ_SECONDS says how long."""
    seconds = os.environ.get("FUZZ_SECONDS") or "5"
    directory = build("CC=clang", "SAN=1", "CFLAGS=-O1 -g -fsanitize=fuzzer-no-link", "fuzzers",
                      out="fuzz")
    fuzzers = sorted(f for f in glob.glob(os.path.join(directory, "fuzz_*")) if
                     os.access(f, os.X_OK) and os.path.isfile(f))
    for fuzzer in fuzzers:
        name = os.path.basename(fuzzer)[len("fuzz_"):]
        corpus = vm.fresh_dir(os.path.join(directory, "corpus", name))
        seeds = os.path.join(vm.TOP, "tests", "fuzz", "corpus", name)
        done = subprocess.run([fuzzer, "-max_total_time=" + seconds, "-timeout=10",
                               "-rss_limit_mb=2048", "-artifact_prefix=%s/" % directory, corpus,
                               *([seeds] if os.path.isdir(seeds) else [])],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", errors="replace")
        problem = None
        if done.returncode != 0:
            problem = "exit status %d:\n%s" % (done.returncode, done.stdout[-3000:])
        yield "fuzz/" + name, problem


@suite("image/", "image", long=True)
def dracut_of_other_suites():
    """The lines of tests/dracut-versions.sh, which needs root and makes chroots."""
    done = subprocess.run([os.path.join(vm.TOP, "tests", "dracut-versions.sh")],
                          env=dict(os.environ, O=vm.build_dir(),
                                   CHROOTS=os.path.join(vm.cache_dir(), "chroots")),
                          stdout=subprocess.PIPE, encoding="utf-8", errors="replace")
    results = [line.split(None, 2) for line in done.stdout.splitlines()
               if line.startswith(("ok ", "FAIL ", "SKIP "))]
    if not results:
        yield "image/dracut", "no result, exit status %d" % done.returncode
    for state, name, *why in results:
        yield name.rstrip(":"), None if state == "ok" else " ".join([state, *why])


@test("check/includes", "check")
def includes():
    script = os.path.join(vm.TOP, "tests", "check-includes.sh")
    done = subprocess.run([script], stdout=subprocess.PIPE, encoding="utf-8")
    expect(done.returncode == 0, "against the include rule:\n" + done.stdout)
    with tempfile.TemporaryDirectory() as tree:  # and the script does find what is wrong
        for folder in ("lib", "arch", "loader", "capture/core", "capture/dump", "initramfs",
                       "control"):
            os.makedirs(os.path.join(tree, folder))
        for name in ("capture/dump/dump.h", "capture/core/core.c"):
            with open(os.path.join(tree, name), "w", encoding="utf-8") as f:
                f.write('#include "capture/dump/dump.h"\n' if name.endswith(".c") else "")
        planted = subprocess.run([script, tree], stdout=subprocess.PIPE, encoding="utf-8")
        expect(planted.returncode == 1 and "capture/core/core.c" in planted.stdout,
               "the script missed a planted include")


@test("check/shell", "check")
def shell():
    files = subprocess.run(["git", "-C", vm.TOP, "ls-files"], stdout=subprocess.PIPE,
                           encoding="utf-8", check=True).stdout.splitlines()
    scripts = []
    for name in files:
        path = os.path.join(vm.TOP, name)
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as f:
            first = f.readline()
        if name.endswith(".sh") or (first.startswith(b"#!") and first.rstrip().endswith(b"sh")):
            scripts.append(path)
    expect(len(scripts) > 3, "found no scripts to check")
    vm.run(["shellcheck", "-x", "-e", "SC1091", *scripts], cwd=vm.TOP)


@test("check/man", "check")
def man_pages():
    pages = glob.glob(os.path.join(vm.TOP, "docs", "man", "*.[1-8]"))
    expect(pages, "no man pages")
    text = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], stdout=subprocess.PIPE,
                          encoding="utf-8").stdout
    # no date on purpose: pages come out the same whenever they are built
    text = "\n".join(line for line in text.splitlines() if "missing date" not in line)
    expect(not text, "mandoc:\n" + text)


@test("check/clang", "check")
def clang_builds():
    build("CC=clang", "CFLAGS=-O2 -g -Werror", "all", out="clang")


@test("check/install", "check")
def install():
    root = vm.fresh_dir(os.path.join(vm.build_dir(), "install-root"))
    build("install", "DESTDIR=" + root, "prefix=/usr")
    for name in ("usr/sbin/kexec-loader", "usr/sbin/vmcore-save", "usr/sbin/vmcore-mkimage",
                 "usr/sbin/vmcorectl",
                 "usr/share/bash-completion/completions/vmcorectl",
                 "usr/lib/systemd/system/vmcore-save-notice.service",
                 "usr/sbin/vmcore-save-dracut",
                 "usr/lib/dracut/modules.d/99vmcore-save/module-setup.sh",
                 "usr/share/man/man8/kexec-loader.8"):
        path = os.path.join(root, name)
        expect(os.path.exists(path), "make install did not install /" + name)
    out = vm.run([os.path.join(root, "usr/sbin/kexec-loader"), "--version"])
    expect("0." in out, "the installed kexec-loader does not tell its version")
    build("uninstall", "DESTDIR=" + root, "prefix=/usr")
    left = [os.path.join(d, f) for d, _, files in os.walk(root) for f in files]
    expect(not left, "make uninstall left " + ", ".join(left))
    shutil.rmtree(root)
