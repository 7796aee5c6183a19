# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenSSH's server on a loopback port, run from where it was unpacked, with keys of its own."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

import readers
import vm
from harness import once

SERVER_SUITES = ("bookworm", "trixie")


@once
def unpacked():
    suite = readers.host_suite()
    return vm.fetch("sshd", suite if suite in SERVER_SUITES else SERVER_SUITES[0])


@once
def user_shim():
    out = os.path.join(vm.build_dir(), "sshd-user.so")
    vm.run(["gcc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", out,
            os.path.join(vm.HERE, "sshd-user.c"), "-ldl"])
    return out


def key_make(path):
    vm.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
    return path


def public(path):
    with open(path + ".pub", encoding="ascii") as f:
        return f.read()


def free_port():
    """One that nobody listens on; another program may take it before the server does."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def user():
    return vm.run(["id", "-un"]).strip()


def descendants(pid):
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % name, encoding="ascii", errors="replace") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(name))
    found, left = [], [pid]
    while left:
        found.append(left.pop())
        left += children.get(found[-1], [])
    return found


class Server:
    """A server; a context. @crash: the directory that dumps go to, gone at its end."""

    def __init__(self, port, crash, authorized, host_key):
        self.dir = tempfile.mkdtemp(prefix="vmcore-sshd-")
        self.port = port
        self.crash = crash
        self.host_key = host_key
        self.bin = os.path.join(self.dir, "bin")  # first in the PATH of who logs in
        self.log = os.path.join(self.dir, "log")
        os.mkdir(self.bin)
        with open(os.path.join(self.dir, "authorized"), "w", encoding="ascii") as f:
            f.write(authorized)
        self.process = None

    def _config(self):
        session = os.path.join(unpacked(), "usr/lib/openssh/sshd-session")
        lines = ["ListenAddress 127.0.0.1", "Port %d" % self.port, "HostKey " + self.host_key,
                 "AuthorizedKeysFile " + os.path.join(self.dir, "authorized"), "PidFile none",
                 "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no",
                 "StrictModes no", "PermitRootLogin prohibit-password", "LogLevel VERBOSE",
                 'SetEnv "PATH=%s:/usr/local/bin:/usr/bin:/bin"' % self.bin]
        if os.path.exists(session):  # since 9.8
            lines.append("SshdSessionPath " + session)
        path = os.path.join(self.dir, "config")
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def __enter__(self):
        root = unpacked()
        env = dict(os.environ, LD_LIBRARY_PATH=os.path.join(root, "usr/lib/x86_64-linux-gnu") +
                   ":" + os.path.join(root, "lib/x86_64-linux-gnu"))
        if os.geteuid() == 0:
            env["LD_PRELOAD"] = user_shim()
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # a path that sshd was built with
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [os.path.join(root, "usr/sbin/sshd"), "-D", "-f", self._config(), "-E", self.log],
            env=env)
        return self

    def program(self, name, text):
        """Puts a script before the program of that name on the server."""
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o755)

    def stop(self):
        """As a machine that hangs: connections stay, and nothing answers."""
        for pid in descendants(self.process.pid):
            os.kill(pid, signal.SIGSTOP)

    def log_text(self):
        if not os.path.exists(self.log):
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def folders(self):
        """Of the dumps that it has."""
        if not os.path.isdir(self.crash):
            return []
        return sorted(os.path.join(self.crash, name) for name in os.listdir(self.crash))

    def __exit__(self, *unused):
        for pid in descendants(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        shutil.rmtree(self.dir)
        shutil.rmtree(self.crash, ignore_errors=True)
