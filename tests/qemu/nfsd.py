# SPDX-License-Identifier: GPL-2.0-or-later
"""An NFS server on this machine that guests reach as 10.0.2.2 and fec0::2, the addresses of
QEMU's user network for the host's loopback. It and QEMU run in a network of their own, so
that it has the usual ports, rpcbind, and nobody else."""

import os
import shutil
import signal
import subprocess
import threading
import time

import vm
from harness import Skip

START_S = 30
CONF = """
NFS_CORE_PARAM {
	Protocols = 3, 4;
	Enable_NLM = false;
	Enable_RQUOTA = false;
	mount_path_pseudo = true;
}
NFSv4 {
	Graceless = true;
	RecoveryBackend = fs;
	RecoveryRoot = %(dir)s/state;
	Only_Numeric_Owners = true;
}
EXPORT {
	Export_Id = 1;
	Path = %(dir)s/dumps;
	Pseudo = /dumps;
	Access_Type = RW;
	Squash = No_Root_Squash;
	SecType = sys;
	FSAL { Name = VFS; }
}
EXPORT {
	Export_Id = 2;
	Path = %(dir)s/others;
	Pseudo = /others;
	Access_Type = None;
	SecType = sys;
	CLIENT { Clients = 192.0.2.1; Access_Type = RW; }
	FSAL { Name = VFS; }
}
"""
START = """
ip link set lo up
mount -t tmpfs tmpfs /run
mkdir /run/rpcbind
rpcbind -f &
sleep 1
exec ganesha.nfsd -F -f "$1/conf" -L "$1/log" -p "$1/pid" -N NIV_EVENT
"""


class Server:
    """Runs until it is stopped; what it got is in @dumps."""

    def __init__(self, directory):
        if os.geteuid() != 0 or not shutil.which("ganesha.nfsd"):
            raise Skip("an NFS server needs root and ganesha.nfsd")
        self.dir = vm.fresh_dir(directory)
        self.dumps = os.path.join(self.dir, "dumps")
        for name in ("dumps", "others", "state"):
            os.makedirs(os.path.join(self.dir, name))
        with open(os.path.join(self.dir, "conf"), "w", encoding="ascii") as f:
            f.write(CONF % {"dir": self.dir})
        with open(os.path.join(self.dir, "out"), "wb") as out:
            self.outer = subprocess.Popen(
                ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                 "sh", "-c", START, "start", self.dir], stdin=subprocess.DEVNULL, stdout=out,
                stderr=out)
        self.pid = None
        self._wait()

    def _log(self):
        path = os.path.join(self.dir, "log")
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def _wait(self):
        end = time.monotonic() + START_S
        while "NFS SERVER INITIALIZED" not in self._log():
            if self.outer.poll() is not None or time.monotonic() > end:
                self.stop()
                raise vm.VmError("the NFS server does not start: " + self._log()[-600:])
            time.sleep(0.2)
        with open("/proc/%d/task/%d/children" % (self.outer.pid, self.outer.pid),
                  encoding="ascii") as f:
            self.pid = int(f.read().split()[0])

    def around(self):
        """What QEMU's command line begins with, to be in the server's network."""
        return ["nsenter", "--target", str(self.pid), "--net"]

    def hang(self):
        os.kill(self.pid, signal.SIGSTOP)

    def die(self):
        """At once, and all of it; the first of its process namespace takes the others along."""
        os.kill(self.pid, signal.SIGKILL)
        self.pid = None

    def at(self, name, size, action):
        """Calls @action once a file of that name has so many bytes."""
        threading.Thread(target=self._watch, args=(name, size, action), daemon=True).start()

    def _watch(self, name, size, action):
        while self.outer.poll() is None:
            for base, _, names in os.walk(self.dumps):
                if name in names and os.path.getsize(os.path.join(base, name)) >= size:
                    action()
                    return
            time.sleep(0.05)

    def stop(self):
        if self.pid:
            self.die()
        self.outer.kill()
        self.outer.wait()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stop()
