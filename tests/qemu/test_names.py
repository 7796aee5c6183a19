# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and addresses from a server that is not ours: dnsmasq, on a network of its own with the
NFS server that the dump goes to by name."""

import shutil
import subprocess
import time

import vm
from harness import Skip, test
from test_network import Sent, server

TAP = "tap,ifname=tap0,script=no,downscript=no"
NETWORK = """
ip tuntap add tap0 mode tap && ip link set tap0 up &&
ip -4 addr add 192.0.2.1/24 dev tap0 && ip -6 addr add fd00::1/64 dev tap0 nodad &&
exec dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --no-resolv --no-hosts \\
	--user=root --leasefile-ro --interface=tap0 --bind-interfaces "$@"
"""


class Dnsmasq:
    """Runs beside @srv with further options, until it is stopped."""

    def __init__(self, srv, *options):
        if not shutil.which("dnsmasq", path="/usr/sbin:/usr/bin"):
            raise Skip("dnsmasq is not there")
        self.process = subprocess.Popen([*srv.around(), "sh", "-c", NETWORK, "sh", *options])
        time.sleep(1)
        if self.process.poll() is not None:
            raise vm.VmError("dnsmasq does not start")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()


def sent(what, srv, ip):
    return Sent(what, srv, "vmcore_save.nfs=dumps.example.com:/dumps vmcore_save.path=/crash "
                "vmcore_save.ip=" + ip, netdev=TAP)


@test("names/dhcp", "names")
def dhcp():
    """Address, router and name server by DHCP; the name by DNS."""
    with server("names-dhcp") as srv, Dnsmasq(
            srv, "--dhcp-range=192.0.2.50,192.0.2.60,1h",
            "--address=/dumps.example.com/192.0.2.1"):
        sent("names-dhcp", srv, "eth0:dhcp").opens("eth0 (virtio_net) 192.0.2.5",
                                                   "NFS server dumps.example.com (192.0.2.1)")


@test("names/dhcp6", "names", long=True)
def dhcp6():
    """The same of IPv6: the address and the name server by DHCPv6, the route by the router."""
    with server("names-dhcp6") as srv, Dnsmasq(
            srv, "--enable-ra", "--dhcp-range=fd00::50,fd00::60,64,1h",
            "--dhcp-option=option6:dns-server,[fd00::1]", "--address=/dumps.example.com/fd00::1"):
        sent("names-dhcp6", srv, "eth0:dhcp6").opens("eth0 (virtio_net) fd00::",
                                                     "NFS server dumps.example.com (fd00::1)")
