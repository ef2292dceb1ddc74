//! Solid POP3, started for each connection, over a Maildir.

use std::{fs, io};

use super::{
    Daemon, Identity, Maildrop, Server,
    sandbox::{DIRECTORY, Sandbox},
};

/// Solid POP3. It refuses the whole Maildir if any message lacks a last line
/// end.
pub const SOLID: Daemon = Daemon {
    name: "solid-pop3d",
    package: "solid-pop3d",
    program: "",
    unpacked: &["solid-pop3d"],
    libraries: &["liblockfile1"],
    stls: false,
    start: run,
};

fn run(messages: &[&[u8]], _: Option<Identity<'_>>) -> io::Result<Server> {
    let sandbox = Sandbox::new(&SOLID, "spop3d")?;
    sandbox.write_pam("solid-pop3d")?;
    let maildrop = Maildrop::maildir(&sandbox.path().join("home"), messages)?;
    fs::create_dir_all(sandbox.path().join("var/lib/solid-pop3d/bulletins"))?;
    // Without the limit it hangs up after a few unknown commands.
    sandbox.write(
        "etc/spop3d.conf",
        &format!(
            "<Global>\nMailDropName \"{DIRECTORY}/home/Maildir\"\nMailDropType maildir\n\
             WrongCommandsLimit 0\n</Global>\n"
        ),
    )?;
    let sandbox = sandbox.enter("")?;
    Server::under_inetd(sandbox, maildrop, |sandbox| sandbox.command("solid-pop3d"))
}
