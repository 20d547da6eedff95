"""A small disk for a server: a tmpfs, by whatever way this machine permits."""

import os
import pathlib
import resource
import subprocess


class Tmpfs:
    """A file system in memory that root has mounted."""

    def __init__(self, path, bytes_max):
        # What servers call it, and where this process sees it.
        self.path = self.seen = path
        # What a server is started with.
        self.wrapper = []
        sudo = [] if os.getuid() == 0 else ["sudo", "-n"]
        self.unmount = [*sudo, "umount", "-l", str(path)]
        subprocess.run(
            [*sudo, "mount", "-t", "tmpfs", "-o", f"size={bytes_max},mode=0777", "tmpfs", str(path)],
            check=True,
            capture_output=True,
        )

    def close(self):
        subprocess.run(self.unmount, check=True, capture_output=True)


class Namespace:
    """A file system in memory in a name space of its own, which a process holds that does nothing else; needs no root."""

    def __init__(self, path, bytes_max):
        script = f"mount -t tmpfs -o size={bytes_max} tmpfs '{path}' && echo mounted && exec sleep infinity"
        self.holder = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if self.holder.stdout.readline() != "mounted\n":
            raise FileNotFoundError(self.holder.communicate()[1])
        pid = self.holder.pid
        self.path = path
        self.seen = pathlib.Path(f"/proc/{pid}/root{path}")
        self.wrapper = ["nsenter", "-t", str(pid), "-U", "-m", "--preserve-credentials"]

    def close(self):
        self.holder.kill()
        self.holder.wait()


def small_disk(path, bytes_max):
    """A disk of `bytes_max` bytes at `path`; fails when this machine permits none."""
    path.mkdir()
    refused = []
    for kind in (Tmpfs, Namespace):
        try:
            return kind(path, bytes_max)
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            refused.append(f"{kind.__name__}: {getattr(error, 'stderr', None) or error}")
    raise AssertionError(
        "no small disk can be mounted: run as root with CAP_SYS_ADMIN, or permit user name spaces; " + "; ".join(refused)
    )


def limit_file_size(pid, bytes_max):
    """Lets no file of a process grow beyond `bytes_max`; `None` for no limit."""
    soft = resource.RLIM_INFINITY if bytes_max is None else bytes_max
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
