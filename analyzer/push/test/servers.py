# SPDX-License-Identifier: GPL-2.0-only
"""servers.py - ClickHouse servers as ordinary processes on loopback, with files of their own.

    with Cluster(folder, shards=3) as cluster:
        cluster.ask(0, "SELECT 1")

Debian's clickhouse-server (18.16) is started as it is installed; its service is not used. Each
shard has its ports and a folder; the cluster in their configuration is called "shards".

LaterServer is one server of a later ClickHouse, with the same functions: chDB (chdb_server.py), which
npm installs.
"""
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

CONFIG = """<?xml version="1.0"?>
<yandex>
 <logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
 <http_port>{http}</http_port>{https}<tcp_port>{native}</tcp_port>
 <interserver_http_port>{inter}</interserver_http_port>
 <listen_host>127.0.0.1</listen_host>
 <max_connections>64</max_connections><max_concurrent_queries>50</max_concurrent_queries>
 <mark_cache_size>67108864</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
 <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
 <users_config>{folder}/users.xml</users_config>
 <default_profile>default</default_profile><default_database>default</default_database>
 <background_pool_size>2</background_pool_size>
 <remote_servers><shards>{shards}</shards></remote_servers>
</yandex>
"""
SHARD = ("<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host>"
         "<port>{native}</port></replica></shard>")
HTTPS = """<https_port>{port}</https_port><openSSL><server>
 <certificateFile>{tls}/server.crt</certificateFile><privateKeyFile>{tls}/server.key</privateKeyFile>
 <caConfig>{tls}/ca.crt</caConfig><verificationMode>{mode}</verificationMode>
 <loadDefaultCAFile>false</loadDefaultCAFile><disableProtocols>sslv2,sslv3</disableProtocols>
</server></openSSL>"""
# A user with a password, and one without, who is what shards are to each other.
USERS = """<?xml version="1.0"?>
<yandex>
 <profiles><default><max_memory_usage>2000000000</max_memory_usage><max_threads>2</max_threads>
  <use_uncompressed_cache>0</use_uncompressed_cache></default></profiles>
 <users>
  <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
   <quota>default</quota></default>
  <pusher><password>correct horse</password><networks><ip>127.0.0.1</ip></networks>
   <profile>default</profile><quota>default</quota></pusher>
 </users>
 <quotas><default></default></quotas>
</yandex>
"""
# A mount that only the server sees, and that is gone when it ends.
SMALL_DISK = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"]), "sh", "-euc",
              'mount -t tmpfs -o "$1" none "$2/data"; shift 2; exec "$@"', "sh"]


def free_ports(count):
    """Ports that nobody listens on, found together so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def wait_for(what, ready, seconds=60):
    """The value of ready() once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = ready()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds} s")


def process_cpu_seconds(pid):
    """User and system time of a process, all its threads together."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Cluster:
    """Some servers that know each other as cluster "shards"."""
    name = "shards"

    def __init__(self, folder, shards, tls=None, mode="strict", disk_bytes=0):
        """tls: a folder with ca.crt, server.crt, server.key: https too; mode: OpenSSL's for clients.
        disk_bytes: each server has a disk of its own, of this size, for as long as it runs."""
        self.folder = folder
        self.tls, self.mode = tls, mode
        self.disk_bytes = disk_bytes
        self.ports = [free_ports(4) for _ in range(shards)]
        self.process = [None] * shards
        self.spent = [0.0] * shards  # CPU seconds of processes that ended

    def __enter__(self):
        try:
            for shard in range(len(self.ports)):
                self.start(shard)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        for process in self.process:
            if process and process.poll() is None:
                process.kill()
                process.wait()

    def start(self, shard):
        """Start a server, or start it again on what it has stored."""
        http, https, native, inter = self.ports[shard]
        folder = os.path.join(self.folder, f"shard{shard}")
        for name in ("data", "tmp"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        with open(os.path.join(folder, "users.xml"), "w") as file:
            file.write(USERS)
        with open(os.path.join(folder, "config.xml"), "w") as file:
            file.write(CONFIG.format(
                folder=folder, http=http, native=native, inter=inter,
                https=HTTPS.format(port=https, tls=self.tls, mode=self.mode) if self.tls else "",
                shards="".join(SHARD.format(native=ports[2]) for ports in self.ports)))
        command = [shutil.which("clickhouse-server") or "/usr/sbin/clickhouse-server",
                   f"--config-file={folder}/config.xml"]
        if self.disk_bytes:
            command = [*SMALL_DISK, f"size={self.disk_bytes}", folder, *command]
        self.run(shard, folder, command)

    def run(self, shard, folder, command):
        with open(os.path.join(folder, "out"), "ab") as out:
            self.process[shard] = subprocess.Popen(command, stdout=out, stderr=out, cwd=folder)
        wait_for(f"ClickHouse in {folder}", lambda: self.answers(shard))

    def cpu_seconds(self):
        """What all servers have taken so far, those that were killed included."""
        return sum(self.spent) + sum(process_cpu_seconds(process.pid) for process in self.process
                                     if process.poll() is None)

    def kill(self, shard, how=signal.SIGKILL):
        self.spent[shard] += process_cpu_seconds(self.process[shard].pid)
        self.process[shard].send_signal(how)
        self.process[shard].wait()

    def filler(self, shard):
        """A file on the server's own disk, seen from outside."""
        return f"/proc/{self.process[shard].pid}/root{self.folder}/shard{shard}/data/filler"

    def fill_disk(self, shard):
        with open(self.filler(shard), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def empty_disk(self, shard):
        os.remove(self.filler(shard))

    def url(self, shard, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.ports[shard][scheme == 'https']}"

    def ask(self, shard, query, body=None):
        """The server's answer to a query, as it comes."""
        url = self.url(shard) + "/?" + urllib.parse.urlencode({"query": query})
        try:
            with urllib.request.urlopen(url, data=body, timeout=1200) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()[:2000]}") from error

    def tell(self, shard, statement):
        """The same for statements that change something, which a GET may not."""
        return self.ask(shard, "", statement.encode())

    def answers(self, shard):
        if self.process[shard].poll() is not None:
            raise AssertionError(f"shard {shard} ended: see {self.folder}/shard{shard}")
        try:
            return self.ask(shard, "SELECT 1") == "1\n"
        except OSError:
            return False


class LaterServer(Cluster):
    """One server of a later ClickHouse, which knows no cluster."""
    name = None

    def __init__(self, folder, library):
        super().__init__(folder, 1)
        self.library = library

    def start(self, shard):
        folder = os.path.join(self.folder, f"shard{shard}")
        os.makedirs(folder, exist_ok=True)
        server = os.path.join(os.path.dirname(os.path.realpath(__file__)), "chdb_server.py")
        self.run(shard, folder, [sys.executable, server, self.library, os.path.join(folder, "data"),
                                 str(self.ports[shard][0])])


def install_chdb(folder):
    """chDB's library in a folder; npm fetches it (550 MB) if it is not there."""
    package = "@chdb/lib-linux-x64-gnu"
    library = os.path.join(folder, "node_modules", package, "libchdb.so")
    if not os.path.exists(library):
        subprocess.run(["npm", "install", "--no-save", "--prefix", folder, package], check=True)
    return library
