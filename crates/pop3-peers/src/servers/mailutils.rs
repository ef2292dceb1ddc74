//! GNU Mailutils' server, over a Maildir.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
};

use super::{
    Daemon, Identity, Maildrop, Server,
    process::{await_listener, free_address, write_identity},
    sandbox::{DIRECTORY, Sandbox},
};

/// GNU Mailutils. It adds an X-UIDL field to the output of RETR and TOP, and
/// does not count it in LIST.
pub const MAILUTILS: Daemon = Daemon {
    name: "mailutils-pop3d",
    package: "mailutils-pop3d",
    program: "",
    unpacked: &["mailutils-pop3d"],
    libraries: &["libmailutils9", "libmu-dbm9", "libkyotocabinet16v5"],
    stls: true,
    start: run,
};

fn run(messages: &[&[u8]], identity: Option<Identity<'_>>) -> io::Result<Server> {
    let sandbox = Sandbox::new(&MAILUTILS, "mail")?;
    let maildrop = Maildrop::maildir(&sandbox.path().join("home"), messages)?;
    let (address, tls_address) = (free_address()?, free_address()?);
    let mut listeners = format!("server {address} {{ tls-mode no; }};\n");
    if let Some(identity) = identity {
        write_identity(sandbox.path(), identity)?;
        let listener = |address, mode| {
            format!(
                "server {address} {{ tls-mode {mode}; tls {{ \
                 ssl-certificate-file {DIRECTORY}/certificate.pem; \
                 ssl-key-file {DIRECTORY}/key.pem; }}; }};\n"
            )
        };
        listeners = listener(address, "ondemand") + &listener(tls_address, "connection");
    }
    sandbox.write(
        "etc/pop3d.conf",
        &format!(
            "{listeners}tcp-wrappers {{ enable no; }};\n\
             mailbox {{ mailbox-pattern \"maildir://{DIRECTORY}/home/Maildir\"; }};\n"
        ),
    )?;
    // It locks there, and reports that a maildrop is in use if it cannot.
    let locks = sandbox.path().join("var/lock/subsys/mail");
    fs::create_dir_all(&locks)?;
    fs::set_permissions(locks, Permissions::from_mode(0o1777))?;
    let mut sandbox =
        sandbox.enter("pop3d --config-file /etc/pop3d.conf --foreground --daemon=100 >&2 &")?;
    await_listener(&mut sandbox.process, &sandbox.directory, address)?;
    let tls_address = identity.map(|_| tls_address);
    Ok(Server::in_room(sandbox, maildrop, address, tls_address))
}
