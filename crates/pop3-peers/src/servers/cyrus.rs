//! All of Cyrus, with a mailbox whose files are written where Cyrus keeps them.

use std::{
    fs,
    io::{self, Error},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use super::{
    super::with_crlf,
    Daemon, Identity, Maildrop, Server, USER,
    process::{await_start, failed, free_address, give_to, write_identity},
    sandbox::{DIRECTORY, SERVICE_ID, Sandbox},
};

/// Cyrus.
pub const CYRUS: Daemon = Daemon {
    name: "cyrus-pop3d",
    package: "cyrus-pop3d",
    program: "",
    unpacked: &["cyrus-pop3d", "cyrus-common", "sasl2-bin"],
    libraries: &[
        "libclamav12",
        "libical3",
        "libicu72",
        "libjansson4",
        "libpcre3",
        "libpq5",
        "libwrap0",
        "libxapian30",
        "libxml2",
        "libzephyr4",
        "libsasl2-modules",
    ],
    stls: true,
    start: run,
};

fn run(messages: &[&[u8]], identity: Option<Identity<'_>>) -> io::Result<Server> {
    let sandbox = Sandbox::new(&CYRUS, "cyrus")?;
    let (address, tls_address) = (free_address()?, free_address()?);
    configure(&sandbox, address, tls_address, identity)?;
    for part in ["var/lib/cyrus", "var/spool/cyrus", "run/cyrus"] {
        fs::create_dir_all(sandbox.path().join(part))?;
        give_to(&sandbox.path().join(part), SERVICE_ID)?;
    }
    fs::create_dir(sandbox.path().join("run/saslauthd"))?;
    let mut sandbox = sandbox.enter(
        "saslauthd -a shadow -n 1 >&2
cyrmaster >&2 &",
    )?;

    // The first login creates the mailbox. No login succeeds before saslauthd
    // and the databases have started, which is after the port opens.
    let maildrop = Maildrop::Kept(address);
    await_start(&mut sandbox.process, &sandbox.directory, || {
        maildrop.messages()
    })?;
    let spool = sandbox.directory.path().join("var/spool/cyrus");
    let mailbox = directory_of("cyrus.header", &spool)?
        .ok_or_else(|| Error::other("a login to Cyrus made no mailbox"))?;
    for (message, number) in messages.iter().zip(1_u64..) {
        fs::write(mailbox.join(format!("{number}.")), with_crlf(message))?;
    }
    give_to(&mailbox, SERVICE_ID)?;
    let id = SERVICE_ID.to_string();
    let reconstructed = sandbox
        .doorway()
        .command("setpriv")
        .args(["--reuid", &id, "--regid", &id, "--clear-groups"])
        .args(["cyrus", "reconstruct", "-u", USER])
        .output()?;
    if !reconstructed.status.success() {
        return Err(failed(&sandbox.directory));
    }
    let tls_address = identity.map(|_| tls_address);
    Ok(Server::in_room(sandbox, maildrop, address, tls_address))
}

fn configure(
    sandbox: &Sandbox,
    address: SocketAddr,
    tls_address: SocketAddr,
    identity: Option<Identity<'_>>,
) -> io::Result<()> {
    let (mut tls, mut services) = (String::new(), String::new());
    if let Some(identity) = identity {
        write_identity(sandbox.path(), identity)?;
        give_to(&sandbox.path().join("key.pem"), SERVICE_ID)?;
        tls = format!(
            "tls_server_cert: {DIRECTORY}/certificate.pem\ntls_server_key: {DIRECTORY}/key.pem\n"
        );
        services = format!("pop3s cmd=\"pop3d -s\" listen=\"{tls_address}\" maxchild=50\n");
    }
    sandbox.write(
        "etc/imapd.conf",
        &format!(
            "configdirectory: /var/lib/cyrus
partition-default: /var/spool/cyrus/mail
defaultpartition: default
admins: cyrus
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_mech_list: PLAIN LOGIN
autocreate_quota: 0
expunge_mode: immediate
{tls}"
        ),
    )?;
    sandbox.write(
        "etc/cyrus.conf",
        &format!(
            "START {{
recover cmd=\"/usr/sbin/cyrus ctl_cyrusdb -r\"
}}
SERVICES {{
pop3 cmd=\"pop3d\" listen=\"{address}\" maxchild=50
{services}}}
EVENTS {{
}}
"
        ),
    )
}

/// Finds the directory below this one that contains such a file.
fn directory_of(file: &str, below: &Path) -> io::Result<Option<PathBuf>> {
    if below.join(file).is_file() {
        return Ok(Some(below.to_owned()));
    }
    for entry in fs::read_dir(below)? {
        let path = entry?.path();
        if path.is_dir()
            && let Some(found) = directory_of(file, &path)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
