//! What other clients have fetched is not fetched again after `pop3 import`: the
//! clients themselves write the files.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use pop3_peers::{PASSWORD, USER, find, messages};

use crate::{
    clients::{assert_stored, maildir, run, run_getmail, run_in, scratch, secret},
    served::Served,
};

const COUNT: usize = 20;

/// Imports `file`, which a client wrote that has fetched all messages. Then exactly
/// what arrives afterwards is fetched, and nothing else is deleted.
fn assert_imports(served: &Served, option: &str, file: &Path) {
    let directory = scratch();
    let url = format!("pop3://{USER}@127.0.0.1:{}", served.port);
    let pop3 = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
        command.args(arguments).arg(&url);
        command.env("XDG_STATE_HOME", directory.path());
        command.env("POP3_PASSWORD", PASSWORD);
        command
    };
    let imported = run(&mut pop3(&["import", option, file.to_str().unwrap()]));
    let said = String::from_utf8(imported.stdout).unwrap();
    let account = format!("{USER}@127.0.0.1:{}", served.port);
    assert_eq!(said, format!("{account}: {COUNT} unique-ids imported\n"));
    served.deliver("1700000000.later.example", b"Subject: later\n");
    let maildir = directory.path().join("Maildir");
    let to = format!("maildir:{}", maildir.display());
    run(&mut pop3(&["fetch", "--delete", "--to", &to]));
    assert_stored(&maildir, vec![b"Subject: later\n".to_vec()]);
    assert_eq!(served.left(), COUNT);
    run(&mut pop3(&[
        "fetch",
        "--delete",
        "--delete-imported",
        "--to",
        &to,
    ]));
    served.assert_empty();
}

#[test]
fn mpop() {
    let Some(mpop) = find("mpop", "mpop") else {
        return;
    };
    let served = Served::start(&messages(COUNT));
    let directory = scratch();
    let maildir = maildir(directory.path());
    let configuration = directory.path().join("mpoprc");
    let uidls = directory.path().join("uidls");
    secret(
        &configuration,
        &format!(
            "account default\nhost 127.0.0.1\nport {}\nuser {USER}\npassword {PASSWORD}\n\
             tls off\nauth user\nkeep on\nuidls_file {}\ndelivery maildir {}\n",
            served.port,
            uidls.display(),
            maildir.display(),
        ),
    );
    run(Command::new(mpop)
        .arg("--file")
        .arg(configuration)
        .arg("--quiet"));
    assert_imports(&served, "--mpop", &uidls);
}

#[test]
fn fetchmail() {
    let Some(fetchmail) = find("fetchmail", "fetchmail") else {
        return;
    };
    let served = Served::start(&messages(COUNT));
    let directory = scratch();
    let configuration = directory.path().join("fetchmailrc");
    secret(
        &configuration,
        &format!(
            "set no spambounce\nset idfile \"{0}/ids\"\nset pidfile \"{0}/pid\"\n\
             poll 127.0.0.1 service {1} protocol POP3 uidl\n\
             user {USER} password {PASSWORD} sslproto '' keep mda \"cat > {0}/message\"\n",
            directory.path().display(),
            served.port,
        ),
    );
    run_in(
        directory.path(),
        Command::new(fetchmail)
            .args(["--silent", "--nosyslog", "--nodetach", "--fetchmailrc"])
            .arg(configuration),
    );
    assert_imports(&served, "--fetchmail", &directory.path().join("ids"));
}

#[test]
fn getmail() {
    let Some(getmail) = find("getmail", "getmail6") else {
        return;
    };
    let served = Served::start(&messages(COUNT));
    let directory = scratch();
    let maildir = maildir(directory.path());
    let places = (directory.path(), &*maildir);
    run_getmail(&getmail, &served, places, "delete = false\n");
    let files = fs::read_dir(directory.path()).unwrap();
    let mut files = files.map(|file| file.unwrap().path());
    let is_oldmail = |file: &PathBuf| file.to_str().unwrap().contains("/oldmail-");
    assert_imports(&served, "--getmail", &files.find(is_oldmail).unwrap());
}
