#!/usr/bin/env python3
"""Captures RETR and TOP replies of real POP3 servers, octet by octet.

Starts each server on a free port of 127.0.0.1 over a Maildir of messages/,
asks for every message, writes SERVER/NAME.retr, SERVER/NAME.top and
manifest.tsv, and checks that each capture decodes to what its manifest row
says. Exits 1 when one does not. README.md describes the files.
"""

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MESSAGES = HERE / "messages"
TIMEOUT_SECONDS = 20
BODY_LINES = 3
USER, PASSWORD = "corpus", "corpus"


# The messages, in maildrop order. Line ends are LF where nothing else is said.

def mail(name, body):
    return (
        b"From: Ada <ada@example.org>\n"
        b"To: Grace <grace@example.org>\n"
        b"Subject: " + name + b"\n"
        b"Date: Mon, 01 Jan 2024 00:00:00 +0000\n"
        b"Message-ID: <" + name + b"@example.org>\n"
        b"\n" + body
    )


def eight_bit():
    high = bytes(range(0x80, 0x100))
    return (
        high + b"\n." + high + b"\n"
        b"\xff\xfe\x80\n.\xff\xfe\x80\n..\x80\n"
        + "Grüße, 世界, 🐦\n.größer\n".encode()
        # NEL and LINE SEPARATOR end no line here.
        + "a\u0085.b\u2028.c\n".encode()
    )


def controls():
    some = bytes(set(range(0x01, 0x20)) - {0x0A, 0x0D}) + b"\x7f"
    return b"".join(bytes([c]) + b"." + b"\n." + bytes([c]) + b"\n" for c in some)


def long_lines():
    body = b""
    for length in (1022, 1023, 1024, 2047, 2048, 4095, 4096, 8191, 8192):
        x = b"x" * length
        # A dot as the next octet of the line, then as the first of the next line.
        body += x + b".\n" + x + b"\n.\n"
    # Eleven octets a turn: a dot falls on every remainder of a power of two.
    return body + b"." + (b"0123456789." * (2**20 // 11 + 1))[:2**20] + b"\n.end\n"


PROSE = (
    b"A message goes over the wire as lines, and the last line holds a dot.\n"
    b"A line of the message that begins with a dot is sent with one more,\n"
    b"so that no line of a message can be taken for the last one.\n"
    b".\n"
    b"The reader takes the first dot of such a line away again.\n"
    b".profile and ..parent are words that begin with dots.\n"
    b"A dot inside a line. is a dot. And so is one at its end.\n"
    b"\n"
    b"...and a sentence may begin with three of them.\n"
    b"\n"
)

TABLE = {
    "plain": mail(b"plain", PROSE * 6 + b"-- \nAda\n"),
    "first-octet-dot": b"." + mail(b"first-octet-dot", b"The first field is .From\n.\nend\n"),
    "first-line-dot": b".\n" + mail(b"first-line-dot", b"The first line is a dot.\n.end\n"),
    "lone-dots": mail(b"lone-dots", b".\n..\n...\n.\n.\n....\ntext\n.\n..\n...\n\n.\n"),
    "dot-words": mail(b"dot-words", b".com\n..com\n...com\n. com\n..\tcom\n.com.\na.com\n .com\n"),
    "eight-bit": mail(b"eight-bit", eight_bit()),
    "controls": mail(b"controls", controls()),
    "nul": mail(
        b"nul",
        b"a\0b\n.\0\n.\0b\n..\0.\nend\0\n\0.\n\0\nafter lines that begin with NUL\n.\0.\n",
    ),
    "long-line": mail(b"long-line", long_lines()),
    "no-final-newline": mail(b"no-final-newline", b".text\nno line end"),
    "no-final-newline-dot": mail(b"no-final-newline-dot", b"text\n."),
    "no-final-newline-1023": mail(b"no-final-newline-1023", b".text\n" + b"x" * 1023),
    "final-cr": mail(b"final-cr", b"text\n.\r"),
    "empty": b"",
    "headers-only": mail(b"headers-only", b"")[:-1],
    "blank-lines": mail(b"blank-lines", b"\n\n\n.\n\n\n..\n\n\n"),
    "bare-cr": mail(
        b"bare-cr",
        b"a\r.\n.\rb\n\r.c\n..\r.\n.\r\r.\n" + b"x" * 1022 + b"\r.y\n.end\n",
    ),
    "crlf-stored": mail(b"crlf-stored", b".\n..\n.com\n\ntext\n.\n").replace(b"\n", b"\r\n"),
    "mixed-newlines": mail(
        b"mixed-newlines",
        b"crlf\r\n.a\nlf\n.b\r\n.\n.\r\n..\n..\r\n\r\r\n.c\n\r.d\n\n.e\r\n\r\n.f\n",
    ),
}


def write_missing_messages():
    """The committed files are what is served; this only fills gaps."""
    MESSAGES.mkdir(exist_ok=True)
    for name, octets in TABLE.items():
        path = MESSAGES / f"{name}.eml"
        if not path.exists():
            path.write_bytes(octets)
        elif path.read_bytes() != octets:
            fail(f"{path} is not what the table in capture.py makes; delete it or mend the table")
    unknown = {path.stem for path in MESSAGES.iterdir()} - TABLE.keys()
    if unknown:
        fail(f"messages/ holds files the table does not name: {', '.join(sorted(unknown))}")


# What a server changed. README.md defines each name in words.

def ends_with_lf(octets):
    return octets.endswith(b"\n")


def cut_to_head(octets):
    blank = 0 if octets.startswith(b"\r\n") else octets.find(b"\r\n\r\n") + 2
    if blank == 1:  # no blank line: all of it is header
        return octets
    end = blank + 2
    for _ in range(BODY_LINES):
        line_end = octets.find(b"\r\n", end)
        if line_end < 0:
            return octets
        end = line_end + 2
    return octets[:end]


def without_cr_at_1023(octets):
    lines = re.split(rb"(?<=\n)", octets)
    return b"".join(
        bytes(
            octet
            for at, octet in enumerate(line, 1)
            if not (octet == 0x0D and at % 1023 == 0 and line[at:at + 1] != b"\n")
        )
        if b"\r" in line else line
        for line in lines
    )


CHANGES = {
    "first-dot-lost": lambda octets: octets[1:],
    "ends-at-first-line": lambda octets: b"",
    "nul-cuts-message": lambda octets: re.split(rb"(?:^|(?<=\n))\0", octets, maxsplit=1)[0],
    "nul-cuts-line": lambda octets: re.sub(rb"\0[^\n]*", b"", octets),
    "cr-1023-lost": without_cr_at_1023,
    "lf-to-crlf": lambda octets: re.sub(rb"(?<!\r)\n", b"\r\n", octets),
    f"head:{BODY_LINES}": cut_to_head,
    "crlf-appended": lambda octets: octets + b"\r\n",
    "never-ends": lambda octets: octets + b".\r\n",
    "refused": lambda octets: b"",
}


def dovecot_changes(message, command):
    if re.match(rb"\.\r?\n", message):
        return ["ends-at-first-line"]
    names = ["first-dot-lost"] if message.startswith(b".") else []
    names.append("lf-to-crlf")
    if command == "TOP":
        names.append(f"head:{BODY_LINES}")
    if not ends_with_lf(apply(names, message)):
        names.append("crlf-appended")
    return names


def mpopd_changes(message, command):
    if command == "TOP":
        return ["refused"]
    names = ["nul-cuts-message", "nul-cuts-line", "cr-1023-lost", "lf-to-crlf"]
    if message and not ends_with_lf(message):
        last = message[message.rfind(b"\n") + 1:]
        names.append("never-ends" if len(last) % 1023 == 0 else "crlf-appended")
    return names


def apply(names, octets):
    for name in names:
        octets = CHANGES[name](octets)
    return octets


def without_idle(names, octets):
    """Only the names that change something in this message."""
    kept = []
    for name in names:
        changed = CHANGES[name](octets)
        if changed != octets or name == "refused":
            kept.append(name)
        octets = changed
    return kept


# The decoder, RFC 1939 section 3.

def decode(block):
    """The octets of a multi-line block, and what follows it (None if it did not end)."""
    decoded, start = [], 0
    while True:
        end = block.find(b"\r\n", start) + 2
        if end == 1:
            return b"".join(decoded) + block[start:], None
        if block[start:end] == b".\r\n":
            return b"".join(decoded), block[end:]
        decoded.append(block[start + block.startswith(b".", start):end])
        start = end


def problem_with(capture, changes, message):
    """Why the capture is not what the manifest row says, or None."""
    status, _, block = capture.partition(b"\r\n")
    if "refused" in changes:
        if status.startswith(b"-ERR") and not block:
            return None
        return "is not one -ERR line"
    if not status.startswith(b"+OK"):
        return f"begins with {status[:40]!r}"
    decoded, rest = decode(block)
    if (rest is None) != ("never-ends" in changes):
        return "has no terminator" if rest is None else "has a terminator"
    if bool(rest) != ("ends-at-first-line" in changes):
        return "goes on after the terminator" if rest else "stops at the terminator"
    expected = apply(changes, message)
    if decoded != expected:
        at = len(os.path.commonprefix([decoded, expected]))
        return (
            f"differs at decoded octet {at}: {decoded[at:at + 24]!r}, "
            f"not {expected[at:at + 24]!r}"
        )
    return None


# The servers.

DOVECOT_CONFIGURATION = """\
protocols = pop3
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{directory}/Maildir
pop3_uidl_format = %f
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={directory}
}}
service anvil {{
  chroot =
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""


def dovecot_command(directory, port, user, group):
    (directory / "run").mkdir()
    configuration = directory / "dovecot.conf"
    configuration.write_text(DOVECOT_CONFIGURATION.format(
        directory=directory, port=port, user=user, group=group, password=PASSWORD))
    return [find_program("dovecot"), "-F", "-c", str(configuration)]


def mpopd_command(directory, port, user, group):
    return [
        find_program("mpopd"),
        "--interface=127.0.0.1",
        f"--port={port}",
        f"--log={directory}/log",
        f"--auth={USER},echo {PASSWORD}",
        f"--maildir={directory}/Maildir",
    ]


# name: command line, changes, reply to QUIT
SERVERS = {
    "dovecot": (dovecot_command, dovecot_changes, b"+OK Logging out.\r\n"),
    "mpopd": (mpopd_command, mpopd_changes, b"+OK\r\n"),
}


def find_program(name):
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")


def require_programs():
    pop3 = [Path(directory, "pop3-login") for directory in ("/usr/lib/dovecot", "/usr/libexec/dovecot")]
    if not find_program("dovecot") or not any(path.exists() for path in pop3):
        fail("dovecot with POP3 is not installed: Debian package dovecot-pop3d")
    if not find_program("mpopd"):
        fail("mpopd is not installed: Debian package mpop")
    version = subprocess.check_output([find_program("dovecot"), "--version"], text=True).split()[0]
    print(f"dovecot {version}")
    if not version.startswith("2.3."):
        fail("the configuration in capture.py is for Dovecot 2.3")
    print(subprocess.check_output([find_program("mpopd"), "--version"], text=True).splitlines()[0])


def server_account():
    """Servers never run as root."""
    if os.geteuid() == 0:
        return "nobody", "nogroup"
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


def make_maildir(directory):
    for part in ("tmp", "cur", "new"):
        (directory / "Maildir" / part).mkdir(parents=True)
    for number, name in enumerate(TABLE, 1):
        # Dovecot orders by the time in the file name, mpopd by the file's mtime.
        when = 1_600_000_000 + number
        path = directory / "Maildir" / "new" / f"{when}.{name}"
        shutil.copyfile(MESSAGES / f"{name}.eml", path)
        os.utime(path, (when, when))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Session:
    """One logged-in connection."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS)
        self.input = self.socket.makefile("rb")
        self.line()
        for command in (f"USER {USER}", f"PASS {PASSWORD}"):
            self.send(command)
            self.line()

    def send(self, command):
        self.socket.sendall(command.encode() + b"\r\n")

    def line(self):
        line = self.input.readline()
        if not line.startswith(b"+OK"):
            raise OSError(f"expected +OK, got {line!r}")
        return line

    def last_reply(self, command, quit_reply):
        """All octets the command brings, however they end: QUIT follows it and is cut off."""
        self.send(command)
        self.send("QUIT")
        octets = self.input.read()
        self.input.close()
        self.socket.close()
        if not octets.endswith(quit_reply):
            raise OSError(f"{command}: the reply to QUIT is missing: {octets[-60:]!r}")
        return octets[:-len(quit_reply)]


def wait_until_listening(port, process, directory):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    log = directory / "log"
    raise OSError("the server does not listen\n" + (log.read_text() if log.exists() else ""))


def check_order(listing):
    names = [line.split(b".", 1)[1].decode() for line in listing.split(b"\r\n")[1:-2]]
    if names != list(TABLE):
        raise OSError(f"the maildrop is not in the order of the table: {names}")


def capture(server):
    """All replies of one server: (suffix, name, command, octets)."""
    make_command, _, quit_reply = SERVERS[server]
    user, group = server_account()
    with tempfile.TemporaryDirectory(prefix="pop3-") as name:
        directory, port = Path(name), free_port()
        make_maildir(directory)
        command_line = make_command(directory, port, user, group)
        identity = {}
        if os.geteuid() == 0:
            for path in [directory, *directory.rglob("*")]:
                shutil.chown(path, user, group)
            identity = {"user": user, "group": group, "extra_groups": []}
        process = subprocess.Popen(
            command_line, cwd=directory, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, **identity)
        try:
            wait_until_listening(port, process, directory)
            check_order(Session(port).last_reply("UIDL", quit_reply))
            return [
                (suffix, message, command, Session(port).last_reply(command, quit_reply))
                for number, message in enumerate(TABLE, 1)
                for suffix, command in (
                    ("retr", f"RETR {number}"), ("top", f"TOP {number} {BODY_LINES}"))
            ]
        finally:
            process.terminate()
            process.wait(TIMEOUT_SECONDS)


def fail(text):
    sys.exit(f"capture.py: {text}")


def main():
    require_programs()
    write_missing_messages()
    rows, problems = [], []
    for server, (_, changes_of, _) in SERVERS.items():
        try:
            captures = capture(server)
        except OSError as error:
            fail(f"{server}: {error}")
        shutil.rmtree(HERE / server, ignore_errors=True)
        (HERE / server).mkdir()
        for suffix, name, command, octets in captures:
            path = f"{server}/{name}.{suffix}"
            (HERE / path).write_bytes(octets)
            message = (MESSAGES / f"{name}.eml").read_bytes()
            changes = without_idle(changes_of(message, command.split()[0]), message)
            rows.append((server, path, f"messages/{name}.eml", command, ",".join(changes) or "-"))
            problem = problem_with(octets, changes, message)
            if problem:
                problems.append(f"{path} {problem}")
    header = ("server", "capture", "message", "command", "server_changed")
    (HERE / "manifest.tsv").write_text("".join("\t".join(row) + "\n" for row in [header, *rows]))
    if problems:
        fail("these captures are not what the manifest says:\n" + "\n".join(problems))
    print(f"{len(rows)} captures, all as the manifest says")


if __name__ == "__main__":
    main()
