//! popa3d, started for each connection, over an mbox.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
};

use super::{
    Daemon, Identity, Maildrop, Server, USER,
    process::give_to,
    sandbox::{Sandbox, USER_ID},
};

/// popa3d. It makes unique-ids from header fields, so messages with equal
/// fields have equal unique-ids.
pub const POPA3D: Daemon = Daemon {
    name: "popa3d",
    package: "popa3d",
    program: "",
    unpacked: &["popa3d"],
    libraries: &[],
    stls: false,
    start: run,
};

fn run(messages: &[&[u8]], _: Option<Identity<'_>>) -> io::Result<Server> {
    let sandbox = Sandbox::new(&POPA3D, "popa3d")?;
    sandbox.write_pam("popa3d")?;
    // It changes its root to this directory.
    fs::create_dir(sandbox.path().join("var/lib/popa3d"))?;
    let mbox = sandbox.path().join("var/mail").join(USER);
    let maildrop = Maildrop::mbox(mbox.clone(), messages)?;
    fs::set_permissions(&mbox, Permissions::from_mode(0o600))?;
    give_to(&mbox, USER_ID)?;
    let sandbox = sandbox.enter("")?;
    Server::under_inetd(sandbox, maildrop, |sandbox| sandbox.command("popa3d"))
}
