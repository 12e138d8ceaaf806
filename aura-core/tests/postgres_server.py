"""A PostgreSQL server for tests: the one that runs on this machine, or one that is started and removed again.

Without a server and without its programs, neither of the system nor of the package pgserver, this fails.
"""
import contextlib
import glob
import importlib.util
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time


def programs():
    """The directory of PostgreSQL's programs: those of the system, or those that the package pgserver brings."""
    config = shutil.which("pg_config")
    if config:
        directory = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
        if os.path.exists(f"{directory}/initdb"):
            return directory
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/usr/pgsql-*/bin/initdb"))
    found += [found for found in [shutil.which("initdb")] if found]
    found += [str(bundled() / "initdb")] if not found else []
    return os.path.dirname(found[-1])


def bundled():
    spec = importlib.util.find_spec("pgserver")
    if spec is None:
        sys.exit("PostgreSQL neither answers at 127.0.0.1:5432 nor is installed, and neither is the package pgserver; install one of them")
    return pathlib.Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def psql():
    return shutil.which("psql") or str(bundled() / "psql")


def answers(port, database="postgres"):
    done = subprocess.run(
        [psql(), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", database, "-Atc", "select 1"],
        capture_output=True,
        env={**os.environ, "PGCONNECT_TIMEOUT": "3"},
    )
    return done.returncode == 0


class Server:
    """A server that answers on `port` of 127.0.0.1; `control` calls pg_ctl for one that was started here."""

    def __init__(self, port, control=None):
        self.port = port
        self.control = control

    def restart(self):
        """Ends every connection at once, without writing anything out first, and starts again, as after a crash."""
        self.control("-m", "immediate", "-w", "restart")


@contextlib.contextmanager
def server(own=False):
    """Yields a server; with `own` never the one that runs already."""
    if not own and answers(5432):
        yield Server(5432)
        return
    where = programs()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    directory = tempfile.mkdtemp()
    data = f"{directory}/data"
    # The server refuses to run as root, and another user may not see what lies in root's directories.
    by = []
    if os.getuid() == 0:
        known = {user.pw_name for user in pwd.getpwall()}
        user = "postgres" if "postgres" in known else "nobody"
        by = ["runuser", "-u", user, "--"]
        if "pginstall" in where:
            package = pathlib.Path(where).parent.parent
            for name in ("pgserver/pginstall", "pgserver.libs"):
                shutil.copytree(package.parent / name, f"{directory}/{name}", symlinks=True)
            where = f"{directory}/pgserver/pginstall/bin"
        os.chmod(directory, 0o755)
        shutil.chown(directory, user)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c fsync=off"

    def control(*arguments, check=True):
        command = [*by, f"{where}/pg_ctl", "-D", data, "-o", options, "-l", f"{directory}/log", *arguments]
        subprocess.run(command, check=check, capture_output=True, cwd="/")

    try:
        subprocess.run([*by, f"{where}/initdb", "-U", "postgres", "-A", "trust", "-D", data], check=True, capture_output=True)
        control("-w", "start")
        for _ in range(50):
            if answers(port):
                break
            time.sleep(0.1)
        yield Server(port, control)
    finally:
        control("-m", "immediate", "stop", check=False)
        shutil.rmtree(directory, ignore_errors=True)
