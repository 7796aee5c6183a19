#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speed and ratio of every codec, one page at a time, beside zlib, libdeflate and igzip.

Usage: tests/bench/codec.py [CORE...]     (ELF cores; without, one of a real panic)

Takes the pages that levels 31 and 1 keep, without pages of zeros, and leaves them in
$O/bench/NAME.LEVEL.pages, where training finds them too:
    make deflate-train && build/deflate-train build/bench/*.pages >tables.c
"""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "qemu"), os.path.dirname(HERE)]
import cores  # noqa: E402 pylint: disable=wrong-import-position
import kdump_format  # noqa: E402 pylint: disable=wrong-import-position
import vm  # noqa: E402 pylint: disable=wrong-import-position


def extract(core, level, path):
    """Writes the pages of @core that @level keeps, one behind the other."""
    dump_path = path + ".dump"
    subprocess.run([os.path.join(vm.build_dir(), "vmcore-save"), "-f", "-d", str(level), core,
                    dump_path], stderr=subprocess.DEVNULL, check=True)
    dump = kdump_format.KdumpFile(dump_path)
    zeros = bytes(dump.block_size)
    with open(path, "wb") as out:
        for i in range(len(dump.pfns())):
            # pylint: disable=protected-access
            desc = dump._at(dump.desc_at + i * kdump_format.DESC.size, kdump_format.DESC.size)
            offset, size, flags, _ = kdump_format.DESC.unpack(desc)
            page = dump._page(dump._at(offset, size), flags)
            if page != zeros:
                out.write(page)
    dump.close()
    os.unlink(dump_path)
    return path


def main():
    directory = os.path.join(vm.build_dir(), "bench")
    os.makedirs(directory, exist_ok=True)
    files = []
    for core in sys.argv[1:] or [cores.raw_core("6.1-cloud")]:
        name = os.path.splitext(os.path.basename(core))[0]
        for level in (31, 1):
            files.append(extract(core, level,
                                 os.path.join(directory, "%s.%d.pages" % (name, level))))
    subprocess.run([os.path.join(vm.build_dir(), "bench-codec"), *files], check=True)


if __name__ == "__main__":
    main()
