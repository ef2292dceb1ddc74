//! `pop3 decode --reply` on captured replies of real servers.

use std::fs;

use crate::{captures, run};

#[test]
fn captures_decode_as_the_manifest_says() {
    let manifest = fs::read_to_string(captures().join("manifest.tsv")).unwrap();
    let (mut messages, mut refused, mut endless, mut early) = (0, 0, 0, 0);
    for row in manifest.lines().skip(1) {
        let [_, capture, message, _, changes] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("bad row: {row}");
        };
        let wire = fs::read(captures().join(capture)).unwrap();
        let message = fs::read(captures().join(message)).unwrap();
        let done = run(["decode", "--reply"], &wire);
        match changes {
            "-" => {
                done.gives(&message);
                messages += 1;
            }
            "lf-to-crlf" => {
                done.gives(&lf_to_crlf(&message));
                messages += 1;
            }
            "lf-to-crlf,crlf-appended" => {
                done.gives(&[&lf_to_crlf(&message), &b"\r\n"[..]].concat());
                messages += 1;
            }
            "refused" => {
                assert_eq!(done.status, Some(76), "{capture}");
                assert!(
                    done.stderr.contains("the server refused: -ERR"),
                    "{capture}"
                );
                assert_eq!(done.stdout, b"", "{capture}");
                refused += 1;
            }
            "ends-at-first-line" => {
                assert_eq!(done.status, Some(65), "{capture}");
                assert!(
                    done.stderr
                        .contains("octets follow the end of the block at octet 3;"),
                    "{capture}: {}",
                    done.stderr
                );
                early += 1;
            }
            _ if changes.ends_with("never-ends") => {
                assert_eq!(done.status, Some(65), "{capture}");
                assert!(
                    done.stderr.contains("truncated: no terminator after"),
                    "{capture}: {}",
                    done.stderr
                );
                endless += 1;
            }
            // These changes need a model of the server, which the codec's own
            // tests have.
            _ => assert_eq!(done.status, Some(0), "{capture}: {}", done.stderr),
        }
    }
    assert!(messages >= 30, "{messages} messages compared");
    assert!(refused > 0 && endless > 0 && early > 0);
}

fn lf_to_crlf(message: &[u8]) -> Vec<u8> {
    let mut mended = Vec::new();
    for &octet in message {
        if octet == b'\n' && mended.last() != Some(&b'\r') {
            mended.push(b'\r');
        }
        mended.push(octet);
    }
    mended
}
