# SPDX-License-Identifier: GPL-2.0-only
"""lossy.py CAPTURE.gz TO SQL - the same capture as from a ring that was full now and then.

Leaves out 150 records after each 4,000 of a vCPU, and every record of the rarest reason. Writes what
KVM's totals say of the dropped ones as statements for the database that TO is read into.
"""
import collections
import gzip
import struct
import sys

HEADER, BLOCK, RECORDS = 64, struct.Struct("<IIQ"), 3
REASON_AT = 104  # of a record: after 13 fields of 64 bits; see kvm_exit_ring.h


def blocks(data):
    at = HEADER
    while at < len(data):
        kind, vcpu, length = BLOCK.unpack_from(data, at)
        yield kind, vcpu, data[at + BLOCK.size:at + BLOCK.size + length]
        at += BLOCK.size + length


def main():
    with gzip.open(sys.argv[1]) as file:
        data = file.read()
    size, = struct.unpack_from("<I", data, 12)
    seen, dropped, all_of = collections.Counter(), collections.Counter(), collections.Counter()

    def reason_of(record):
        return struct.unpack_from("<I", record, REASON_AT)[0]

    for kind, _, body in blocks(data):
        if kind == RECORDS:
            all_of.update(reason_of(body[i:i + size]) for i in range(0, len(body), size))
    rarest = min(all_of, key=lambda reason: (all_of[reason], reason))

    with open(sys.argv[2], "wb") as out:
        out.write(data[:HEADER])
        for kind, vcpu, body in blocks(data):
            if kind == RECORDS:
                kept = []
                for record in (body[i:i + size] for i in range(0, len(body), size)):
                    seen[vcpu] += 1
                    if seen[vcpu] % 4150 > 4000 or reason_of(record) == rarest:
                        dropped[vcpu, reason_of(record) & 0xffff] += 1
                    else:
                        kept.append(record)
                body = b"".join(kept)
            out.write(BLOCK.pack(kind, vcpu, len(body)) + body)

    with open(sys.argv[3], "w", encoding="ascii") as out:
        out.write("DELETE FROM crosscheck WHERE source = 'totals_dropped';\n")
        for (vcpu, reason), n in sorted(dropped.items()):
            out.write(f"INSERT INTO crosscheck SELECT 1, id, 'totals_dropped', 'exits', {reason}, {n}, NULL FROM vcpu"
                      f" ORDER BY id LIMIT 1 OFFSET {vcpu};\n")


if __name__ == "__main__":
    main()
