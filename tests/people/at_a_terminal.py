"""Runs a program at a terminal of its own, and types what is asked for.

    python at_a_terminal.py ANSWERS PROGRAM [ARGUMENT ...]

ANSWERS is JSON: a list of [text that is waited for, what is typed then]; `null` is typed as Ctrl-C. Everything that
the terminal showed goes to standard output; the exit code is the program's. A last line says whether the terminal
echoes afterwards.
"""

import json
import os
import pty
import select
import sys
import termios
import time

answers = json.loads(sys.argv[1])
program = sys.argv[2:]
PATIENCE = 60

pid, terminal = pty.fork()
if pid == 0:
    os.execvpe(program[0], program, os.environ)

shown = b""
looked_from = 0
ends_at = time.monotonic() + PATIENCE
while True:
    if answers and answers[0][0].encode() in shown[looked_from:]:
        text = answers.pop(0)[1]
        looked_from = len(shown)
        # The question is on the screen before the terminal stops echoing.
        time.sleep(0.2)
        os.write(terminal, b"\x03" if text is None else text.encode())
    ready, _, _ = select.select([terminal], [], [], 0.1)
    if ready:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            chunk = b""
        if not chunk:
            break
        shown += chunk
    if time.monotonic() > ends_at:
        sys.stdout.write(shown.decode(errors="replace") + "\nTHE PROGRAM HANGS\n")
        os.kill(pid, 9)
        sys.exit(99)

echoes = "gone"
try:
    echoes = bool(termios.tcgetattr(terminal)[3] & termios.ECHO)
except termios.error:
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.write(shown.decode(errors="replace") + f"\nECHO {echoes}\n")
sys.exit(os.waitstatus_to_exitcode(status) % 256)
