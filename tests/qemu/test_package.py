# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package: it is built, and lintian has nothing to say."""

import glob
import os
import subprocess

import vm
from harness import expect, test


@test("package/deb", "package", long=True)
def deb():
    out = vm.build_dir()
    tree = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run(["make", "-C", tree, "deb", "O=" + out], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                          errors="replace", timeout=1200)
    expect(done.returncode == 0, "make deb:\n" + done.stdout[-4000:])
    changes = glob.glob(os.path.join(out, "deb", "*.changes"))
    expect(len(changes) == 1, "changes: %s" % changes)
    done = subprocess.run(["lintian", "--allow-root", "--fail-on=error,warning", changes[0]],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=300)
    expect(done.returncode == 0, "lintian:\n" + done.stdout)
