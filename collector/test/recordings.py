# SPDX-License-Identifier: GPL-2.0-only
"""recordings.py - writes small perf.data and trace.dat files of made-up KVM events

An event is (ts in ns, cpu, tid, name, fields); see EVENTS for the names and fields.
"""
import struct
import zlib

COMMON = [("unsigned short", "common_type", 0, 2, 0), ("unsigned char", "common_flags", 2, 1, 0),
          ("unsigned char", "common_preempt_count", 3, 1, 0), ("int", "common_pid", 4, 4, 1)]
U32, U64 = ("u32", 4, 0), ("u64", 8, 0)

# id, fields in order; as Linux 6.1 has them
EVENTS = {
    "kvm_exit": (1473, [("exit_reason", U32), ("guest_rip", U64), ("isa", U32), ("info1", U64),
                        ("info2", U64), ("intr_info", U32), ("error_code", U32), ("vcpu_id", U32)]),
    "kvm_entry": (1482, [("vcpu_id", U32), ("rip", U64)]),
    "kvm_msr": (1469, [("write", U32), ("ecx", U32), ("data", U64)]),
    "kvm_cpuid": (1468, [("function", U32), ("index", U32)]),
}
OTHER_ID = 300  # sched:sched_switch or the like: an event that is not KVM's


def layout(name):
    """(name, offset, size) of an event's own fields, aligned as C does."""
    at, places = 8, []
    for field, (_, size, _) in EVENTS[name][1]:
        at = (at + size - 1) // size * size
        places.append((field, at, size))
        at += size
    return places, at


def format_text(name, without=()):
    lines = [f"name: {name}", f"ID: {EVENTS[name][0]}", "format:"]
    lines += [f"\tfield:{t} {n};\toffset:{o};\tsize:{s};\tsigned:{g};" for t, n, o, s, g in COMMON]
    lines += [f"\tfield:u{8 * s} {n};\toffset:{o};\tsize:{s};\tsigned:0;"
              for n, o, s in layout(name)[0] if n not in without]
    return "\n".join(lines) + '\n\nprint fmt: "%u", __print_symbolic(REC->gone, {(\n'


def raw(name, tid, fields):
    """The event's own data."""
    if name == "other":
        return struct.pack("<HBBi", OTHER_ID, 0, 0, tid) + bytes(8)
    places, size = layout(name)
    data = bytearray(size)
    struct.pack_into("<HBBi", data, 0, EVENTS[name][0], 0, 0, tid)
    for field, at, bytes_ in places:
        data[at:at + bytes_] = fields.get(field, 0).to_bytes(bytes_, "little")
    return bytes(data)


def exit_event(ts, tid, vcpu, reason=10, cpu=0, isa=1, **fields):
    return ts, cpu, tid, "kvm_exit", dict(fields, exit_reason=reason, vcpu_id=vcpu, isa=isa)


def entry_event(ts, tid, vcpu, cpu=0):
    return ts, cpu, tid, "kvm_entry", {"vcpu_id": vcpu}


def pairs(count, tid=100, vcpu=0, cpu=0, start=1000, period=1000, length=300, reason=10):
    """count exits of length ns, one each period ns, after a first entry."""
    events = [entry_event(start - 500, tid, vcpu, cpu)]
    for i in range(count):
        ts = start + i * period
        events += [exit_event(ts, tid, vcpu, reason, cpu), entry_event(ts + length, tid, vcpu, cpu)]
    return events


# perf.data

IDENTIFIER, IP, TID, TIME, ADDR = 1 << 16, 1, 2, 4, 8
READ, CALLCHAIN, ID, CPU, PERIOD, RAW = 16, 32, 64, 128, 256, 1024
WEIGHT, DATA_SRC = 1 << 14, 1 << 15
NORMAL = IDENTIFIER | IP | TID | TIME | CPU | PERIOD | RAW


class Perf:
    """One perf.data. Events that are not in `recorded` get no attr."""

    def __init__(self, recorded=("kvm_exit", "kvm_entry"), sample_type=NORMAL, period=1,
                 freq=False, without=()):
        self.recorded, self.sample_type = recorded, sample_type
        self.period, self.freq, self.without = period, freq, without
        self.records = bytearray()
        self.features = {}

    def attr(self, name):
        config = OTHER_ID if name == "other" else EVENTS[name][0]
        flags = 1 << 18 | (1 << 10 if self.freq else 0)  # sample_id_all, freq
        return struct.pack("<IIQQQQQ", 2, 128, config, self.period, self.sample_type,
                           0x14, flags).ljust(128, b"\0")  # read_format: ID, LOST

    def id(self, name):
        return 10 + self.recorded.index(name)

    def record(self, kind, body):
        self.records += struct.pack("<IHH", kind, 0, 8 + len(body)) + body

    def sample_id(self, ts, cpu, tid, name):
        return struct.pack("<IIQIIQ", tid, tid, ts, cpu, 0, self.id(name))

    def sample(self, event, tgid=None, period=None):
        ts, cpu, tid, name, fields = event
        data, t = raw(name, tid, fields), self.sample_type
        body = struct.pack("<Q", self.id(name)) if t & IDENTIFIER else b""
        body += struct.pack("<Q", 0xffff) if t & IP else b""
        body += struct.pack("<IIQ", tgid if tgid is not None else tid, tid, ts)
        body += struct.pack("<Q", 1) if t & ADDR else b""
        body += struct.pack("<Q", self.id(name)) if t & ID else b""
        body += struct.pack("<II", cpu, 0) if t & CPU else b""
        body += struct.pack("<Q", self.period if period is None else period) if t & PERIOD else b""
        body += struct.pack("<QQQ", 1, self.id(name), 0) if t & READ else b""
        body += struct.pack("<Q3Q", 3, 1, 2, 3) if t & CALLCHAIN else b""
        pad = -(4 + len(data)) % 8
        body += struct.pack("<I", len(data) + pad) + data + bytes(pad)
        body += struct.pack("<QQ", 7, 8) if t & WEIGHT else b""
        self.record(9, body)

    def samples(self, events, **how):
        for event in sorted(events, key=lambda e: e[0]):
            self.sample(event, **how)

    def lost(self, count, ts, cpu=0):
        name = self.recorded[0]
        self.record(2, struct.pack("<QQ", self.id(name), count) + self.sample_id(ts, cpu, 0, name))

    def lost_samples(self, name, count):
        self.record(13, struct.pack("<Q", count) + self.sample_id(0, 0, 0, name))

    def comm(self, tid, comm):
        self.record(3, struct.pack("<II", tid, tid) + comm.encode()[:15].ljust(16, b"\0"))

    def text_feature(self, bit, text):
        data = text.encode() + b"\0"
        self.features[bit] = struct.pack("<I", len(data)) + data

    def tracing_data(self):
        texts = [format_text(n, self.without).encode() for n in self.recorded if n != "other"]
        body = b"\x17\x08\x44tracing" + b"0.6\0" + b"\0\x08" + struct.pack("<I", 4096)
        body += b"header_page\0" + struct.pack("<Q", 0) + b"header_event\0" + struct.pack("<Q", 0)
        body += struct.pack("<I", 0) + struct.pack("<I", 1) + b"kvm\0" + struct.pack("<I", len(texts))
        for text in texts:
            body += struct.pack("<Q", len(text)) + text
        return body

    def write(self, path):
        ids_at = 104
        ids = b"".join(struct.pack("<Q", self.id(n)) for n in self.recorded)
        attrs_at = ids_at + len(ids)
        attrs = b"".join(self.attr(n) + struct.pack("<QQ", ids_at + 8 * i, 8)
                         for i, n in enumerate(self.recorded))
        data_at = attrs_at + len(attrs)
        features = dict(self.features)
        features[1] = self.tracing_data()
        at = data_at + len(self.records)
        table, bodies, bits = b"", b"", 0
        for bit in sorted(features):
            table += struct.pack("<QQ", at + 16 * len(features) + len(bodies), len(features[bit]))
            bodies += features[bit]
            bits |= 1 << bit
        head = b"PERFILE2" + struct.pack("<QQ6Q4Q", 104, 144, attrs_at, len(attrs), data_at,
                                         len(self.records), 0, 0, bits, 0, 0, 0)
        with open(path, "wb") as out:
            out.write(head + ids + attrs + self.records + table + bodies)

    def write_pipe(self, path):
        """As perf record -o - writes it: the headers are records."""
        records, self.records = self.records, bytearray()
        for name in self.recorded:
            self.record(64, self.attr(name) + struct.pack("<Q", self.id(name)))
        for bit, body in self.features.items():
            self.record(80, struct.pack("<Q", bit) + body)
        formats = self.tracing_data()
        self.record(66, struct.pack("<II", len(formats), 0))
        self.records += formats + bytes(-len(formats) % 8)
        with open(path, "wb") as out:
            out.write(b"PERFILE2" + struct.pack("<Q", 16) + self.records + records)
        self.records = records


# trace.dat

def pages(events, lost_before=None, page_bytes=4096):
    """Pages of ftrace's ring buffer. lost_before: {index of an event: events lost before it,
    None: how many is not said}; such an event begins a page."""
    out, body, start, last, missed = b"", b"", None, 0, (False, None)
    lost_before = lost_before or {}

    def close():
        nonlocal out
        commit = len(body) | (missed[0] and 1 << 31) | (missed[1] is not None and 1 << 30)
        stored = struct.pack("<Q", missed[1]) if missed[1] is not None else b""
        out += (struct.pack("<QQ", start, commit) + body + stored).ljust(page_bytes, b"\0")

    for i, (ts, _, tid, name, fields) in enumerate(events):
        data = raw(name, tid, fields)
        data += bytes(-len(data) % 4)
        if start is not None and (i in lost_before or len(body) + len(data) > page_bytes - 60):
            close()
            start = None
        if start is None:
            start, last, body = ts, ts, b""
            missed = (i in lost_before, lost_before.get(i))
        delta = ts - last
        if delta >> 27:
            body += struct.pack("<II", 30 | (delta & (1 << 27) - 1) << 5, delta >> 27)
            delta = 0
        if len(data) > 112:
            body += struct.pack("<II", delta << 5, len(data) + 4) + data
        else:
            body += struct.pack("<I", len(data) // 4 | delta << 5) + data
        last = ts
    if start is not None:
        close()
    return out


class Dat:
    """One trace.dat. buffers: [(instance name, clock, {cpu: pages})]"""

    def __init__(self, buffers, formats=tuple(EVENTS), without=()):
        self.buffers, self.options = buffers, []
        texts = [format_text(n, without).encode() for n in formats]
        self.formats = struct.pack("<I", 1) + b"kvm\0" + struct.pack("<I", len(texts))
        self.formats += b"".join(struct.pack("<Q", len(t)) + t for t in texts)
        page = b"\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n" \
               b"\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
        self.header = b"header_page\0" + struct.pack("<Q", len(page)) + page
        self.header += b"header_event\0" + struct.pack("<Q", 0)
        self.names = b"100 qemu\n"

    def stats(self, overrun, buffer="", cpus=(0,), read=9):
        if buffer:
            self.option(2, f"\nBuffer: {buffer}\n\n\0".encode())
        for cpu in cpus:
            self.option(2, f"CPU: {cpu}\nentries: 0\noverrun: {overrun}\ncommit overrun: 0\n"
                           f"dropped events: 0\nread events: {read}\n\0".encode())

    def option(self, number, data):
        self.options.append((number, data))

    def uname(self, machine="x86_64"):
        self.option(5, f"Linux recorder 5.4.0-test {machine}\0".encode())

    def write(self, path):
        """Version 7, not compressed."""
        head = b"\x17\x08\x44tracing7\0\0\x08" + struct.pack("<I", 4096) + b"none\0\0"
        out = bytearray(head + bytes(8))
        options = []
        for number, body in ((16, self.header), (18, self.formats),
                             (21, struct.pack("<Q", len(self.names)) + self.names)):
            options.append((number, struct.pack("<Q", len(out))))
            out += struct.pack("<HHIQ", number, 0, 0, len(body)) + body
        for name, clock, cpus in self.buffers:
            section, places = len(out), b""
            out += struct.pack("<HHIQ", 3, 0, 0, sum(map(len, cpus.values())))
            for cpu, data in cpus.items():
                places += struct.pack("<IQQ", cpu, len(out), len(data))
                out += data
            options.append((3, struct.pack("<Q", section) + name.encode() + b"\0" + clock.encode()
                            + b"\0" + struct.pack("<II", 4096, len(cpus)) + places))
        body = b"".join(struct.pack("<HI", n, len(d)) + d for n, d in options + self.options)
        body += struct.pack("<HIQ", 0, 8, 0)
        struct.pack_into("<Q", out, len(head), len(out))
        out += struct.pack("<HHIQ", 0, 0, 0, len(body)) + body
        with open(path, "wb") as file:
            file.write(out)

    def write_compressed(self, path, pages_a_chunk=2):
        """Version 7 as trace-cmd 3.1 writes it: each instance, then the options that describe it."""
        def section(number, flags, body):
            return struct.pack("<HHIQ", number, flags, 0, len(body)) + body

        def options(entries, end=0):
            body = b"".join(struct.pack("<HI", n, len(d)) + d for n, d in entries)
            return section(0, 0, body + struct.pack("<HIQ", 0, 8, end))

        def chunk(data):
            packed = zlib.compress(data)
            return struct.pack("<II", len(packed), len(data)) + packed

        head = b"\x17\x08\x44tracing7\0\0\x08" + struct.pack("<I", 4096) + b"zlib\0" + b"1\0"
        out, first = bytearray(head + bytes(8)), []
        for number, body in ((16, self.header), (18, self.formats),
                             (21, struct.pack("<Q", len(self.names)) + self.names)):
            first.append((number, struct.pack("<Q", len(out))))
            out += section(number, 1, chunk(body))
        clock = f"[{self.buffers[0][1]}] global\0".encode()
        first += self.options + [(4, clock), (8, struct.pack("<I", len(self.buffers[0][2])))]
        struct.pack_into("<Q", out, len(head), len(out))
        last = len(out) + len(options(first)) - 8
        out += options(first)
        for name, clock, cpus in self.buffers:
            at, places = len(out), b""
            out += struct.pack("<HHIQ", 3, 1, 0, 0)
            for cpu, data in cpus.items():
                out += bytes(-len(out) % 4096)
                begin = len(out)
                if data:
                    step = 4096 * pages_a_chunk
                    chunks = [chunk(data[i:i + step]) for i in range(0, len(data), step)]
                    out += struct.pack("<I", len(chunks)) + b"".join(chunks)
                places += struct.pack("<IQQ", cpu, begin, max(len(out) - begin - 4, 0))
            struct.pack_into("<Q", out, at + 8, len(out) - at - 16)
            struct.pack_into("<Q", out, last, len(out))
            entry = options([(3, struct.pack("<Q", at) + name.encode() + b"\0" + clock.encode()
                              + b"\0" + struct.pack("<II", 4096, len(cpus)) + places)])
            last = len(out) + len(entry) - 8
            out += entry
        with open(path, "wb") as file:
            file.write(out)

    def write_v6(self, path, old=False, says_clock=True):
        """Version 6: the top instance last, the others in options. old: as trace-cmd before 3.0,
        whose option has no clock: it stands after the places of the pages of each instance."""
        top = [b for b in self.buffers if not b[0]][0]
        head = b"\x17\x08\x44tracing6\0\0\x08" + struct.pack("<I", 4096) + self.header
        head += struct.pack("<I", 0) + self.formats + struct.pack("<II", 0, 0)
        head += struct.pack("<Q", len(self.names)) + self.names + struct.pack("<I", len(top[2]))
        options = list(self.options)
        options += [(4, b"" if old else f"global [{top[1]}] mono\0".encode())]
        others = [b for b in self.buffers if b[0]]
        size = len(head) + 12 + sum(6 + len(d) for _, d in options)
        size += sum(6 + 8 + len(b[0]) + 1 for b in others)

        def text_of(clock):
            text = "local global counter x86-tsc mono\n".replace(clock, f"[{clock}]").encode()
            return struct.pack("<Q", len(text)) + text if old and says_clock else b""

        def table_bytes(buffer):
            return 10 + 16 * len(buffer[2]) + len(text_of(buffer[1]))

        top_at = size
        at, places, tail = top_at + table_bytes(top), {}, b""
        for buffer in [top] + others:
            name, clock, cpus = buffer
            if name:
                places[name] = at + len(tail)
                first = places[name] + table_bytes(buffer)
            else:
                first = at
            table, data = b"flyrecord\0", b""
            for pages_ in cpus.values():
                table += struct.pack("<QQ", first + len(data), len(pages_))
                data += pages_
            table += text_of(clock)
            if name:
                tail += table + data
            else:
                top_table, tail = table, data
        options += [(3, struct.pack("<Q", places[b[0]]) + b[0].encode() + b"\0") for b in others]
        body = b"options  \0" + b"".join(struct.pack("<HI", n, len(d)) + d for n, d in options)
        with open(path, "wb") as file:
            file.write(head + body + struct.pack("<H", 0) + top_table + tail)
