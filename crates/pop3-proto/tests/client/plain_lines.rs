//! Listings as most servers write them. The session reads these eight octets at a
//! time; if they are cut octet by octet, the parsers that know every rule read
//! them. The two must agree on all lines, including those that only look plain.

use pop3_proto::Command;
use proptest::{collection::vec, prelude::*, sample::select};

use crate::harness::{Client, config, outlook};

/// The octets next to each bound of the test of a word, and others that may look
/// like a digit, a line end or a part of a unique-id.
const EDGES: &[u8] = b"/09: \t\r\n.\0!~\x7f\x80\x81\xa0\xa1\xb0\xb9\xfe\xff";

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1..30_u32).prop_map(|number| number.to_string()),
        1 => select(&[
            "9", "10", "99", "100", "9999999", "10000000", "15999999", "16000000", "16000001",
            "99999999", "100000000", "4294967295", "4294967296", "0", "00000001", "000000001", "",
        ][..]).prop_map(str::to_owned),
    ]
}

fn size() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => (0..5000_u32).prop_map(|size| size.to_string()),
        1 => select(&[
            "0", "99999999", "100000000", "18446744073709551615", "18446744073709551616",
            "12345678901234567890123", "0000000012", "",
        ][..]).prop_map(str::to_owned),
    ]
}

/// Lengths around the words of eight octets and the bound of 70.
fn unique_id(length: usize) -> impl Strategy<Value = String> {
    vec(0x21..=0x7e_u8, length).prop_map(|octets| octets.into_iter().map(char::from).collect())
}

fn unique_id_lengths() -> impl Strategy<Value = usize> {
    select(&[0, 1, 7, 8, 9, 15, 16, 17, 20, 24, 69, 70, 71, 72, 600][..])
}

/// A listing in which most numbers ascend and some do not, and some octets are
/// replaced.
fn listing(field: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let line = (prop::option::weighted(0.2, number()), field);
    let edit = (any::<prop::sample::Index>(), select(EDGES), 0..3_u8);
    (vec(line, 0..30), vec(edit, 0..6)).prop_map(|(lines, edits)| {
        let mut listing = String::new();
        for (at, (number, field)) in lines.into_iter().enumerate() {
            let number = number.unwrap_or_else(|| (at + 1).to_string());
            listing += &format!("{number} {field}\r\n");
        }
        let mut listing = listing.into_bytes();
        for (at, octet, edit) in edits {
            if listing.is_empty() {
                break;
            }
            let at = at.index(listing.len());
            match edit {
                0 => listing[at] = octet,
                1 => listing.insert(at, octet),
                _ => drop(listing.remove(at)),
            }
        }
        [b"+OK\r\n", &listing[..], b"\r\n.\r\n+OK\r\n"].concat()
    })
}

fn whole_and_cut(command: &Command<'_>, answer: &[u8], read: usize) {
    let mut few = config();
    few.limits.listing_entries = 12;
    for config in [config(), outlook(), few] {
        let [by_octet, whole, cut] = [1, 0, read].map(|read| {
            let mut client = Client::in_transaction(config.clone());
            client.read = read;
            (client.ask(command, answer), client.ends)
        });
        assert_eq!(whole, by_octet);
        assert_eq!(cut, by_octet);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn list(answer in listing(size()), read in 8..200_usize) {
        whole_and_cut(&Command::List(None), &answer, read);
    }

    #[test]
    fn uidl(
        answer in unique_id_lengths().prop_flat_map(|length| listing(unique_id(length))),
        read in 8..200_usize,
    ) {
        whole_and_cut(&Command::Uidl(None), &answer, read);
    }
}

/// The tail of the line looks like a line of its own.
#[test]
fn does_not_parse_the_rest_of_an_overlong_line() {
    let mut client = Client::in_transaction(config());
    client.read = b"+OK\r\n".len() + 505;
    let answer = [b"+OK\r\n", &[b'x'; 505][..], b"1 10000001\r\n.\r\n"].concat();
    let said = client.ask(&Command::List(None), &answer);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[1].starts_with("malformed"), "{said:?}");
}
