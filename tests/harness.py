# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers tests and runs them: groups side by side, a line per test.

A test is a function under @test; it fails by raising. A suite, under @suite, runs
another program and yields (name, problem or None) for each test that it ran. Tests
of one group run one after the other, so that they share what was costly to make.

A test in which a machine ran has a second try: an emulator on a busy host loses one to time
now and then. The first problem is printed all the same, and the end names such tests.
"""

import concurrent.futures
import functools
import os
import threading
import time
import traceback

TESTS = []
_thread = threading.local()


class Failure(Exception):
    """A test's plain verdict: one sentence, no traceback."""


class Skip(Exception):
    """A test of something that the program does not claim to do; its reason is printed."""


def machine_ran():
    """Said by whoever runs one."""
    _thread.machine_ran = True


class Item:
    def __init__(self, name, group, func, is_suite, is_long, always=False):
        self.name = name
        self.group = group
        self.func = func
        self.is_suite = is_suite
        self.is_long = is_long
        self.always = always


def test(name, group, long=False):
    def register(func):
        TESTS.append(Item(name, group, func, False, long))
        return func
    return register


def suite(prefix, group, long=False, always=False):
    """@always: cheap enough to be run to learn whether one of its names is wanted."""
    def register(func):
        TESTS.append(Item(prefix, group, func, True, long, always))
        return func
    return register


def once(func):
    """Makes something that several tests use, at the first call for its arguments; the
    later ones get the same result, or the same exception once it has come twice."""
    results, lock = {}, threading.Lock()

    @functools.wraps(func)
    def wrapper(*args):
        with lock:
            entry = results.setdefault(args, {"lock": threading.Lock(), "errors": []})
        with entry["lock"]:
            if "value" not in entry and len(entry["errors"]) < 2:
                try:
                    entry["value"] = func(*args)
                except Exception as e:  # pylint: disable=broad-except
                    entry["errors"].append(e)
            if "value" not in entry:
                raise entry["errors"][-1]
        return entry["value"]
    return wrapper


def expect(condition, sentence):
    if not condition:
        raise Failure(sentence)


def expect_in(needle, text, where):
    if needle not in text:
        tail = "\n".join("  | " + line for line in text.strip().splitlines()[-15:])
        raise Failure("no '%s' in %s%s" % (needle, where, "\n" + tail if tail else ""))


class Runner:
    def __init__(self, pattern, with_long, jobs):
        self.pattern = pattern
        self.with_long = with_long
        self.jobs = jobs
        self.lock = threading.Lock()
        self.passed = 0
        self.failed = []
        self.again = []
        self.skipped = 0

    def wanted(self, item):
        if item.is_long and not self.with_long:
            return False
        if item.is_suite:  # its names are known once it has run
            return item.always or self.pattern in item.name or self.pattern.startswith(item.name)
        return self.pattern in item.name

    def report(self, name, problem, seconds):
        with self.lock:
            if isinstance(problem, Skip):
                self.skipped += 1
                print("skip  %s: %s" % (name, problem), flush=True)
            elif problem is None:
                self.passed += 1
                print("ok    %s (%.1f s)" % (name, seconds), flush=True)
            else:
                self.failed.append(name)
                print("FAIL  %s (%.1f s): %s" % (name, seconds, problem), flush=True)

    @staticmethod
    def problem_of(error):
        if isinstance(error, Failure):
            return str(error)
        tail = error.console_tail() if hasattr(error, "console_tail") else ""
        if hasattr(error, "console_tail"):
            return str(error) + ("\n" + tail if tail else "")
        return "".join(traceback.format_exception(error)).rstrip()

    def run_suite(self, item):
        started = time.monotonic()
        nr = 0
        for name, problem in item.func():
            nr += 1
            if self.pattern in name:
                self.report(name, problem, time.monotonic() - started)
            started = time.monotonic()
        if nr == 0:
            raise Failure("no test ran")

    def problem_in(self, item):
        try:
            if item.is_suite:
                self.run_suite(item)
            else:
                item.func()
        except Skip as e:
            return e
        except Exception as e:  # pylint: disable=broad-except
            return self.problem_of(e)
        return None

    def run_item(self, item):
        started = time.monotonic()
        _thread.machine_ran = False
        problem = self.problem_in(item)
        if problem and not isinstance(problem, Skip) and _thread.machine_ran and not item.is_suite:
            with self.lock:
                self.again.append(item.name)
                print("again %s: %s" % (item.name, problem), flush=True)
            problem = self.problem_in(item)
        if problem or not item.is_suite:
            self.report(item.name, problem, time.monotonic() - started)

    def run_group(self, items):
        for item in items:
            self.run_item(item)

    def run(self):
        groups = {}
        for item in TESTS:
            if self.wanted(item):
                groups.setdefault(item.group, []).append(item)
        with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
            for done in [pool.submit(self.run_group, items) for items in groups.values()]:
                done.result()
        if self.again:
            print("had a second try: " + " ".join(sorted(self.again)))
        if self.failed:
            print("failed: " + " ".join(sorted(self.failed)))
        if not self.passed and not self.failed and not self.skipped:
            print("no test has '%s' in its name" % self.pattern)
        print("%d passed, %d failed%s" % (
            self.passed, len(self.failed),
            ", %d skipped" % self.skipped if self.skipped else ""), flush=True)
        return 1 if self.failed or not self.passed else 0


def jobs_default():
    return int(os.environ.get("JOBS") or 0) or max(1, min(4, os.cpu_count() or 1))
