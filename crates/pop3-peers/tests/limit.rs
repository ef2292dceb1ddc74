//! The limit applies to every child of this process, so this test has a binary
//! of its own.

#![cfg(target_os = "linux")]

use std::{os::unix::process::ExitStatusExt as _, process::Command, time::Duration};

#[test]
fn kills_a_child_that_does_not_end() {
    pop3_peers::limit_children(Duration::ZERO);
    let status = Command::new("sleep").arg("600").status().unwrap();
    assert_eq!(status.signal(), Some(9));
}
