//! LIST and STAT announce the number of octets that RETR sends, whatever a message
//! contains and whatever its file name claims.

use std::{fs, net::Ipv4Addr};

use dot_stuffing::MultilineDecoder;
use pop3_tokio::server::{MailStore, MaildirStore, Server};
use proptest::{collection::vec, prelude::*};
use tempfile::TempDir;
use tokio::{io::duplex, runtime::Builder};

use crate::drive::{Client, accounts, settings, store};

/// Octets with many line ends and dots.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"\r\n".to_vec()),
        2 => Just(b"\n".to_vec()),
        2 => Just(b"\r".to_vec()),
        3 => Just(b".".to_vec()),
        3 => vec(any::<u8>(), 0..8),
        1 => Just(vec![b'x'; 70_000]),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// A message, and the size in its file name: none, the number of stored octets, or
/// any number.
fn messages() -> impl Strategy<Value = Vec<(Vec<u8>, u64, u8)>> {
    vec((message(), any::<u64>(), any::<u8>()), 0..6)
}

fn name(index: usize, octets: usize, claimed: u64, form: u8) -> String {
    let claims = match form % 5 {
        0 => String::new(),
        1 => format!(",S={octets},W={octets}"),
        2 => format!(",S={claimed},W={claimed}"),
        3 => format!(",W={claimed}"),
        _ => format!(",W={}", claimed % 200),
    };
    match form / 5 % 2 {
        0 => format!("new/{index}.x{claims}"),
        _ => format!("cur/{index}.x{claims}:2,S"),
    }
}

/// Removes the byte-stuffing from a block.
fn octets(block: &[u8]) -> u64 {
    let mut decoder = MultilineDecoder::new();
    let whole = [block, b".\r\n"].concat();
    for slice in decoder.feed(&mut &whole[..]) {
        slice.unwrap();
    }
    decoder.finish().unwrap().octets
}

/// Logs in and compares all sizes.
fn sizes_are_right(store: impl MailStore, count: usize) {
    let server = Server::new(store, accounts()).settings(settings());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (near, far) = duplex(1 << 20);
        let talk = async {
            let mut client = Client(near);
            client.line().await;
            client.log_in().await;
            let listing = String::from_utf8(client.block("LIST").await).unwrap();
            let mut sum = 0;
            for (line, number) in listing.lines().zip(1..) {
                let sent = octets(&client.block(&format!("RETR {number}")).await);
                assert_eq!(line, format!("{number} {sent}"));
                let alone = client.ask(&format!("LIST {number}")).await;
                assert_eq!(alone, format!("+OK {line}"));
                sum += sent;
            }
            assert_eq!(listing.lines().count(), count);
            assert_eq!(client.ask("STAT").await, format!("+OK {count} {sum}"));
            client.quit().await;
        };
        tokio::join!(server.attend(far, Ipv4Addr::LOCALHOST.into()), talk)
    });
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn listed_sizes_are_the_octets_sent(messages in messages()) {
        let directory = TempDir::new().unwrap();
        for part in ["new", "cur", "tmp"] {
            fs::create_dir(directory.path().join(part)).unwrap();
        }
        for (index, (message, claimed, form)) in messages.iter().enumerate() {
            let name = name(index, message.len(), *claimed, *form);
            let path = directory.path().join(name);
            fs::write(&path, message).unwrap();
            // Old enough for the server to keep its size.
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        }
        // Once with counted sizes, and once with kept sizes.
        for _ in 0..2 {
            let store = MaildirStore::new(Some(directory.path().to_owned()), "");
            sizes_are_right(store, messages.len());
        }
        let octets: Vec<&[u8]> = messages.iter().map(|(octets, ..)| &octets[..]).collect();
        sizes_are_right(store(&octets), messages.len());
    }
}
