//! The units of systemd in `contrib/systemd`.

use std::{fs, path::PathBuf, process::Command};

#[test]
fn systemd_accepts_the_units_for_fetching() {
    let Some(analyze) = pop3_peers::find("systemd-analyze", "systemd") else {
        return;
    };
    let contrib = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contrib/systemd");
    let directory = tempfile::tempdir().unwrap();
    let mut verify = Command::new(analyze);
    verify.args(["verify", "--man=no"]);
    for name in [
        "pop3-fetch.service",
        "pop3-fetch-once.service",
        "pop3-fetch-once.timer",
    ] {
        let unit = fs::read_to_string(contrib.join(name)).unwrap();
        // The program must be there.
        let unit = unit.replace("/usr/local/bin/pop3", env!("CARGO_BIN_EXE_pop3"));
        let file = directory.path().join(name);
        fs::write(&file, unit).unwrap();
        verify.arg(file);
    }
    let output = verify.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
}
