//! Dovecot in a single directory, with one static user.

use std::{
    fs,
    io::{self, Error},
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::Command,
};

use super::{
    Daemon, Identity, Maildrop, NOBODY, PASSWORD, Server,
    process::{free_address, scratch, start, write_identity},
};

/// Dovecot.
pub const DOVECOT: Daemon = Daemon {
    name: "dovecot-pop3d",
    package: "dovecot-pop3d",
    program: "dovecot",
    unpacked: &[],
    libraries: &[],
    stls: true,
    start: run,
};

fn run(messages: &[&[u8]], identity: Option<Identity<'_>>) -> io::Result<Server> {
    let directory = scratch()?;
    let maildrop = Maildrop::maildir(directory.path(), messages)?;
    let (address, tls_address) = (free_address()?, free_address()?);
    if let Some(identity) = identity {
        write_identity(directory.path(), identity)?;
    }
    let owner = fs::metadata(directory.path())?;
    let owner = match owner.uid() {
        0 => (NOBODY, NOBODY),
        uid => (uid, owner.gid()),
    };
    let tls_address = identity.map(|_| tls_address);
    let tls_port = tls_address.map_or(0, |address| address.port());
    let configuration = match is_of_series_2_4()? {
        true => configuration_2_4,
        false => configuration,
    };
    let path = directory.path().join("dovecot.conf");
    fs::write(
        &path,
        configuration(directory.path(), address.port(), tls_port, owner)?,
    )?;
    fs::create_dir(directory.path().join("run"))?;
    let mut command = Command::new("dovecot");
    command.arg("-F").arg("-c").arg(path);
    Ok(Server {
        address,
        tls_address,
        maildrop,
        _inetd: None,
        _process: start(command, &directory, address)?,
        _directory: directory,
    })
}

/// Whether the installed version needs the settings of Dovecot 2.4, which have
/// other names.
pub(super) fn is_of_series_2_4() -> io::Result<bool> {
    let output = Command::new("dovecot").arg("--version").output()?;
    Ok(output.stdout.starts_with(b"2.4."))
}

fn configuration(
    directory: &Path,
    port: u16,
    tls_port: u16,
    (uid, gid): (u32, u32),
) -> io::Result<String> {
    let user = name_of("/etc/passwd", uid)?;
    let group = name_of("/etc/group", gid)?;
    let directory = directory.display();
    let tls = match tls_port {
        0 => "ssl = no".to_owned(),
        _ => {
            format!(
                "ssl = yes\nssl_cert = <{directory}/certificate.pem\nssl_key = <{directory}/key.pem"
            )
        }
    };
    Ok(format!(
        "protocols = pop3
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log
{tls}
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_max_userip_connections = 1000
mail_location = maildir:{directory}/Maildir
pop3_uidl_format = %f
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={directory}
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
    port = {tls_port}
    ssl = yes
  }}
}}
"
    ))
}

fn configuration_2_4(
    directory: &Path,
    port: u16,
    tls_port: u16,
    (uid, gid): (u32, u32),
) -> io::Result<String> {
    let user = name_of("/etc/passwd", uid)?;
    let group = name_of("/etc/group", gid)?;
    let directory = directory.display();
    let tls = match tls_port {
        0 => "ssl = no".to_owned(),
        _ => format!(
            "ssl = yes\nssl_server_cert_file = {directory}/certificate.pem\n\
             ssl_server_key_file = {directory}/key.pem"
        ),
    };
    Ok(format!(
        "dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = pop3
listen = 127.0.0.1
base_dir = {directory}/run
state_dir = {directory}/run
log_path = {directory}/log
{tls}
auth_allow_cleartext = yes
auth_mechanisms = plain login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_max_userip_connections = 1000
mail_driver = maildir
mail_path = {directory}/Maildir
pop3_uidl_format = %{{filename}}
passdb static {{
  password = {PASSWORD}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {directory}
  }}
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
    port = {tls_port}
    ssl = yes
  }}
}}
"
    ))
}

/// The name of a user or group, as Dovecot does not accept the number.
pub(super) fn name_of(file: &str, id: u32) -> io::Result<String> {
    let id = id.to_string();
    for line in fs::read_to_string(file)?.lines() {
        let mut fields = line.split(':');
        if let (Some(name), Some(_), Some(found)) = (fields.next(), fields.next(), fields.next())
            && found == id
        {
            return Ok(name.to_owned());
        }
    }
    Err(Error::other(format!("{file} has no {id}")))
}
