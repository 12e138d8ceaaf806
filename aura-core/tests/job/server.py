"""Prints the address of a PostgreSQL server and keeps it until the standard input ends.

The server that answers at 127.0.0.1:5432 is taken when there is one, otherwise one is started. With `--own` one is always started; then each
line `restart` on the input restarts it, as after a crash, and is answered by a line.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import postgres_server

own = "--own" in sys.argv
with postgres_server.server(own) as found:
    # One that runs already may lack the database of the tests; every server has the other.
    database = "postgres" if own or not postgres_server.answers(found.port, "test") else "test"
    print(f"postgres://postgres@127.0.0.1:{found.port}/{database}", flush=True)
    for line in sys.stdin:
        if own and line.strip() == "restart":
            found.restart()
            print("restarted", flush=True)
