"""Two hosts on one machine: network namespaces that a virtual cable connects, for Open MPI. Needs root."""

import pathlib
import shutil
import subprocess

AGENT = """#!/bin/sh
# Open MPI's way to another host: the network namespace of that name.
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host && $*"
"""


class Cable:
    """Two network namespaces, jersey-a and jersey-b, and a virtual cable between them."""

    HOSTS = {"jersey-a": "10.77.0.1", "jersey-b": "10.77.0.2"}

    def __init__(self, work: pathlib.Path):
        self.remove()
        self.agent = work / "agent"
        self.agent.write_text(AGENT)
        self.agent.chmod(0o755)
        self.hosts = work / "hosts"
        first, second = self.HOSTS
        for host in self.HOSTS:
            self.ip("netns", "add", host)
        self.ip("link", "add", first, "netns", first, "type", "veth", "peer", "name", second, "netns", second)
        for host, address in self.HOSTS.items():
            self.ip("-n", host, "addr", "add", f"{address}/24", "dev", host)
            self.ip("-n", host, "link", "set", host, "up")
            self.ip("-n", host, "link", "set", "lo", "up")
        # Names, which the rsh agent takes for namespaces.
        for host in self.HOSTS:
            folder = pathlib.Path("/etc/netns") / host
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text(
                "127.0.0.1 localhost\n" + "".join(f"{a} {name}\n" for name, a in self.HOSTS.items())
            )

    @staticmethod
    def ip(*words, check: bool = True) -> None:
        subprocess.run(["ip", *words], check=check, stderr=None if check else subprocess.DEVNULL)

    def remove(self) -> None:
        for host in self.HOSTS:
            self.ip("netns", "del", host, check=False)
            shutil.rmtree(pathlib.Path("/etc/netns") / host, ignore_errors=True)

    def mpirun(self) -> list:
        first, _ = self.HOSTS
        words = [
            "ip",
            "netns",
            "exec",
            first,
            "unshare",
            "--uts",
            "sh",
            "-c",
            f'hostname {first} && exec "$@"',
        ]
        words += ["sh", "mpirun", "--allow-run-as-root", "-n", 2, "--bind-to", "none"]
        words += ["--host", ",".join(f"{host}:1" for host in self.HOSTS)]
        settings = {
            "plm_rsh_agent": self.agent,
            "pml": "ob1",
            # Not the memory that the two share.
            "btl": "tcp,self",
            "btl_tcp_if_include": "10.77.0.0/24",
            "oob_tcp_if_include": "10.77.0.0/24",
        }
        return words + [word for key, value in settings.items() for word in ("--mca", key, value)]

    def sent(self) -> list[int]:
        return [
            int(
                subprocess.run(
                    ["ip", "netns", "exec", host, "cat", f"/sys/class/net/{host}/statistics/tx_bytes"],
                    check=True, capture_output=True,
                ).stdout
            )
            for host in self.HOSTS
        ]  # fmt: skip

    def limit(self, gigabits: float) -> bool:
        """Limits both directions; returns whether the system can."""
        for host in self.HOSTS:
            words = ["ip", "netns", "exec", host, "tc", "qdisc", "replace", "dev", host, "root", "tbf"]
            words += ["rate", f"{round(gigabits * 1000)}mbit", "burst", "4mb", "latency", "50ms"]
            if not shutil.which("tc") or subprocess.run(words, stderr=subprocess.DEVNULL).returncode:
                return False
        return True
