//! Courier's server, started for each connection, over a Maildir. The daemon
//! that checks passwords runs beside it.

use std::{fs, io};

use super::{
    Daemon, Identity, Maildrop, Server,
    process::write_identity,
    sandbox::{DIRECTORY, Sandbox},
};

/// Courier.
pub const COURIER: Daemon = Daemon {
    name: "courier-pop",
    package: "courier-pop",
    program: "",
    unpacked: &["courier-pop", "courier-base", "courier-authlib"],
    libraries: &["libcourier-unicode4", "libidn12", "libltdl7"],
    stls: true,
    start: run,
};

fn run(messages: &[&[u8]], identity: Option<Identity<'_>>) -> io::Result<Server> {
    let sandbox = Sandbox::new(&COURIER, "courier")?;
    sandbox.write_pam("pop3")?;
    let maildrop = Maildrop::maildir(&sandbox.path().join("home"), messages)?;
    if let Some(identity) = identity {
        write_identity(sandbox.path(), identity)?;
        let pair = [identity.certificate, identity.key].concat();
        sandbox.write("pair.pem", &pair)?;
    }
    sandbox.write(
        "etc/courier/authdaemonrc",
        "authmodulelist=\"authpam\"\ndaemons=1\nauthdaemonvar=/run/courier/authdaemon\n",
    )?;
    fs::create_dir_all(sandbox.path().join("run/courier/authdaemon"))?;
    let sandbox = sandbox.enter(
        "for directory in /usr/libexec/courier-authlib /usr/lib/courier/courier-authlib; do
    ! test -x $directory/authdaemond || break
done
$directory/authdaemond >&2 &
while ! test -S /run/courier/authdaemon/socket; do sleep 0.02; done",
    )?;
    let stls = identity.is_some();
    Server::under_inetd(sandbox, maildrop, move |sandbox| {
        let mut command = sandbox.command("/usr/lib/courier/courier/courierpop3login");
        command.args(["/usr/lib/courier/courier/courierpop3d", "Maildir"]);
        // The variables that Courier's configuration and inetd would set.
        command
            .env("TCPREMOTEIP", "127.0.0.1")
            .env("TCPREMOTEPORT", "49152")
            .env("TCPLOCALIP", "127.0.0.1")
            .env("TCPLOCALPORT", "110")
            .env("POP3AUTH", "PLAIN LOGIN")
            .env("POP3_TLS_REQUIRED", "0");
        if stls {
            command
                .env("COURIERTLS", "/usr/bin/couriertls")
                .env("POP3_STARTTLS", "YES")
                .env("TLS_CERTFILE", format!("{DIRECTORY}/pair.pem"))
                .env("TLS_VERIFYPEER", "NONE");
        }
        command
    })
}
