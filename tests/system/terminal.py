"""What somebody at a terminal of so many columns sees."""
import os
import pty
import subprocess
import termios

from conftest import program
from daemon import WAIT_S


def at_terminal(columns, *words):
    """The lines that parley writes there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, columns))
    subprocess.run([program("parley"), *map(str, words)], stdout=theirs,
                   stderr=subprocess.DEVNULL, timeout=WAIT_S)
    os.close(theirs)
    text = b""
    with open(ours, "rb", buffering=0) as stream:
        while True:
            try:
                text += stream.read(4096)
            except OSError:  # nobody has it open any more
                return text.decode().replace("\r", "").splitlines()
