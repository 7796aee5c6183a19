# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs vmcore-save, the program under test, as a filter."""

import os
import re
import subprocess

import vm
from harness import Skip, expect, once

TIMEOUT_S = 300


def path():
    return os.path.join(vm.build_dir(), "vmcore-save")


def run(*args, **kwargs):
    """Returns (exit status, stdout and stderr)."""
    done = subprocess.run([path(), *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                          timeout=TIMEOUT_S, **kwargs)
    return done.returncode, done.stdout


def must(*args, **kwargs):
    status, text = run(*args, **kwargs)
    expect(status == 0, "vmcore-save %s: exit status %d:\n%s" %
           (" ".join(args), status, text[-1500:]))
    return text


@once
def promises(option):
    """Whether --help tells of the option."""
    return bool(re.search(r"(?m)(^|[\s\[|,(])%s($|[\s\]|,=)])" % re.escape(option), run("--help")[1]))


def needs(*options):
    """Ends a test where --help does not tell of an option; where it does, it has to work."""
    for option in options:
        if not promises(option):
            raise Skip("vmcore-save has no %s" % option)


@once
def supports(*options):
    """Whether it gets as far as to open the core, or stops at an option."""
    status, text = run(*options, "/nonexistent/core", "/nonexistent/dump")
    expect(status != 0, "a core that is not there was saved")
    return "/nonexistent/core" in text


def fast():
    """The option of the cheapest compression that it has."""
    return "-l" if supports("-l") else "-c"
