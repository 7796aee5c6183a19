# SPDX-License-Identifier: GPL-2.0-or-later
"""Dumps that go over the network to an NFS server: each a real panic, and what the server
got is judged by readers that are not ours."""

import os
import shutil

import cores
import crash
import nfsd
import readers
import worlds
from harness import expect, expect_in, once, test

CONF = crash.CONF.replace("ext4 LABEL=vmcore-test", "nfs 10.0.2.2:/dumps").replace(
    "path /var/crash", "path /crash") + "extra_modules virtio_blk ext4\n"
GENERIC = "6.1-generic"  # the flavour that has e1000
WAIT_S = 15


@once
def image(name):
    os.makedirs(cores.out_dir(), exist_ok=True)
    return crash.image_build(cores.kernel(name), cores.out_dir("network-%s.img" % name), CONF)


class Sent(worlds.World):
    """One panic whose dump goes to @server."""

    def __init__(self, what, server, append="", nic="virtio-net-pci", name=worlds.KERNEL,
                 netdev="user", **world):
        self.server = server
        super().__init__("network-" + what,
                         "vmcore_save.device_timeout=%d %s" % (WAIT_S, append),
                         base=image(name), kernel=name,
                         around=server.around(),
                         qemu=["-netdev", netdev + ",id=net0", "-device",
                               nic + ",netdev=net0,romfile=,mac=52:54:00:12:34:56"], **world)

    def arrived(self, path="crash"):
        """The folder of the one dump that the server got."""
        base = os.path.join(self.server.dumps, path)
        folders = os.listdir(base)
        expect(len(folders) == 1, "the server got %s" % folders)
        return os.path.join(base, folders[0])

    def opens(self, *sentences):
        """All is there, nobody else can read it, and a reader opens it."""
        self.says(*sentences)
        self.ends("complete")
        folder = self.arrived()
        names = sorted(os.listdir(folder))
        expect(names == ["vmcore", "vmcore-dmesg.txt", "vmcore-save.json"],
               "the server got %s" % names)
        for name in names:
            mode = os.stat(os.path.join(folder, name)).st_mode & 0o777
            expect(mode == 0o600, "%s has mode %o" % (name, mode))
        told = worlds.manifest(folder)
        expect(told["verdict"] == "complete", "the verdict is %s" % told["verdict"])
        failed = [s for s in told["steps"] if s["outcome"] == "failed"]
        expect(not failed, "failed steps: %s" % failed)
        out = readers.libkdumpfile(os.path.join(folder, "vmcore"))
        expect_in(self.machine.kernel.release, out, "libkdumpfile")
        self.done()


def server(what):
    return nfsd.Server(cores.out_dir("nfsd-" + what))


@test("network/nfs4-dhcp", "network")
def nfs4_dhcp():
    """With a kernel that has READ_PLUS of version 4.2, which is not for every server."""
    with server("dhcp") as srv:
        Sent("dhcp", srv, name="6.12-cloud").opens("network: eth0 (virtio_net) 10.0.2.15/24, gateway 10.0.2.2")


@test("network/nfs3-static", "network")
def nfs3_static():
    """And the interface named by its hardware address."""
    with server("static") as srv:
        Sent("static", srv, "vmcore_save.mount_options=vers=3 vmcore_save.ip="
             "10.0.2.44::10.0.2.2:255.255.255.0:crashed:52-54-00-12-34-56:none").opens(
                 "eth0 (virtio_net) 10.0.2.44/24, gateway 10.0.2.2")


@test("network/nfs4-ipv6", "network")
def nfs4_ipv6():
    with server("ipv6") as srv:
        Sent("ipv6", srv, "vmcore_save.nfs=[fec0::2]:/dumps vmcore_save.path=/crash "
             "vmcore_save.ip=eth0:auto6").opens("eth0 (virtio_net) fec0::", "/64")


@test("network/nfs4-e1000", "network", long=True)
def nfs4_e1000():
    with server("e1000") as srv:
        Sent("e1000", srv, nic="e1000", name=GENERIC).opens("eth0 (e1000) 10.0.2.15/24")


@worlds.fault("network/no-dhcp-answer", "No DHCP server answers", group="network")
def no_dhcp_answer():
    with server("silent") as srv:
        world = Sent("silent", srv, netdev="hubport,hubid=1")
        world.says("no answer from a DHCP server on eth0 (virtio_net, link up) within %d s" %
                   WAIT_S)
        return world.ends("failed", "no NFS server at 10.0.2.2")


@worlds.fault("network/nfs-hangs", "The NFS server accepts connections and says nothing",
              group="network")
def nfs_hangs():
    with server("hung") as srv:
        srv.hang()
        world = Sent("hung", srv)
        return world.ends("failed", "no NFS server at 10.0.2.2 (10.0.2.2) port 2049 within "
                          "%d s: no answer" % WAIT_S).says("no NFS server at 10.0.2.2")


@worlds.fault("network/nfs-refused", "The server exports the directory to others alone",
              group="network")
def nfs_refused():
    with server("refused") as srv:
        world = Sent("refused", srv, "vmcore_save.nfs=10.0.2.2:/others vmcore_save.path=/crash")
        return world.ends("failed", "cannot mount 10.0.2.2:/others: the server").says(
            "cannot mount 10.0.2.2:/others")


def nfs_lost(what, action, *sentences):
    """The server goes in the middle of the dump, and the next target is a disk."""
    with server(what) as srv:
        srv.at("vmcore-incomplete", 1 << 20, getattr(srv, action))
        world = Sent(what, srv, "vmcore_save.nfs=10.0.2.2:/dumps "
                     "vmcore_save.ext4=LABEL=vmcore-test vmcore_save.path=/var/crash",
                     parameters={"FILL": "1"}, bound=240)
        world.says(*sentences)
        world.ends("complete")
        expect(os.path.basename(world.folder()) and "vmcore" in world.names(),
               "the disk has %s" % world.names())
        names = sorted(os.listdir(world.arrived("var/crash")))
        expect("vmcore" not in names, "the server has a vmcore: %s" % names)
        shutil.rmtree(srv.dumps)
        return world


@worlds.fault("network/nfs-gone", "The NFS server hangs in the middle of the dump, and the next "
              "target is a disk", group="network")
def nfs_gone():
    return nfs_lost("gone", "hang", "has stopped answering")


@worlds.fault("network/nfs-killed", "The NFS server is killed in the middle of the dump, and the "
              "next target is a disk", group="network", long=True)
def nfs_killed():
    return nfs_lost("killed", "die", "has stopped answering")
