//! Each bug of other software that concerns parsing, sessions, STLS or
//! authentication, and what shows that we do not have it.

use std::{fs, path::PathBuf};

use pop3_testkit::{corpus, known_bugs, trace};

/// What covers a bug.
enum Covered {
    /// A trace of `corpus/traces`.
    Trace(&'static str),
    /// A bug.
    KnownBug(&'static str),
    /// A test: its file, and its function.
    Test(&'static str, &'static str),
}

use Covered::{KnownBug, Test, Trace};

type Row = (u32, &'static str, &'static [Covered]);

const LOGIN: &str = "pop3-proto/tests/client/login.rs";
const LISTINGS: &str = "pop3-proto/tests/client/listings.rs";
const REPLIES: &str = "pop3-proto/tests/client/replies.rs";
const SASL: &str = "pop3-proto/tests/client/sasl.rs";
const STLS: &str = "pop3-proto/tests/client/stls.rs";

const ROWS: [Row; 39] = [
    (
        1,
        "Outlook Express, BID 252: a read ends between two dots",
        &[Trace("01-split-between-two-dots")],
    ),
    (
        2,
        "Mozilla, CVE-2002-2338: a dot within a message",
        &[Trace("02-cve-2002-2338-dot-in-message")],
    ),
    (
        3,
        "POP3Lite, CVE-2001-0996: a dot that is not stuffed",
        &[
            Trace("03-cve-2001-0996-unstuffed-server"),
            KnownBug("unsolicited-replies-are-kept"),
            Test(REPLIES, "unstuffed_dot_leaves_unsolicited_octets"),
        ],
    ),
    (
        4,
        "yapople#32: a line that ends with a dot",
        &[Trace("04-text-that-ends-with-a-dot")],
    ),
    (
        5,
        "node-pop3#40, #26, #27: a dot alone in a read",
        &[
            Trace("01-split-between-two-dots"),
            Test("dot-stuffing/tests/exhaustive.rs", "decode_by_rfc_1939"),
        ],
    ),
    (
        6,
        "mailpit#299, netius#96, greenmail#475: servers that do not stuff",
        &[
            Trace("11-smuggled-by-the-message"),
            Test(
                "pop3-proto/tests/server/maildrop.rs",
                "a_dot_is_stuffed_as_first_octet_and_after_a_bare_lf",
            ),
        ],
    ),
    (
        7,
        "cyrus-imapd#4717: an end without its LF",
        &[
            Trace("07-terminator-without-lf"),
            Test(REPLIES, "terminator_without_lf_times_out"),
        ],
    ),
    (
        8,
        "curl#12063: small reads",
        &[
            Trace("rfc1939-section-10"),
            Test("pop3-proto/tests/client/chunking.rs", "whole_and_cut"),
        ],
    ),
    (
        9,
        "curl#19228: a line of CAPA that begins with a dot",
        &[
            Trace("09-capa-line-with-a-dot"),
            Trace("09-capa-line-with-a-dot-outlook"),
            KnownBug("a-dot-line-ends-every-listing"),
        ],
    ),
    (
        10,
        "curl#14677, curl#14801: LIST with a number is one line",
        &[
            Trace("10-single-lines"),
            KnownBug("one-listing-waits-for-a-dot"),
            KnownBug("list-n-waits-for-a-dot"),
        ],
    ),
    (
        11,
        "VU#302671, SMTP smuggling: other newlines around a dot",
        &[
            Trace("11-lone-newlines"),
            Trace("11-smuggled-by-the-message"),
            Trace("nul-and-newlines-in-replies"),
        ],
    ),
    (
        12,
        "getmail6's mocks: LF alone",
        &[
            Trace("12-lf-only"),
            KnownBug("lf-ends-a-reply"),
            Test(REPLIES, "lf_alone"),
        ],
    ),
    (
        13,
        "mail-api#692: a message cut at a dot",
        &[
            Trace("03-cve-2001-0996-unstuffed-server"),
            KnownBug("deletes-before-the-end-of-the-message"),
        ],
    ),
    (
        15,
        "fetchmail, curl, poplib: long lines, and ends of file",
        &[
            Trace("15-eof-after-dot-cr"),
            Trace("15-eof-in-message"),
            Trace("15-line-of-8191-octets"),
            KnownBug("end-of-file-ends-the-message"),
            Test(REPLIES, "end_of_input_at_every_octet"),
        ],
    ),
    (
        16,
        "curl, CVE-2021-22947: a reply injected before TLS",
        &[
            Trace("16-cve-2021-22947"),
            Trace("16-cve-2021-22947-later"),
            KnownBug("plaintext-behind-stls-is-kept"),
            Test(
                STLS,
                "reports_the_reply_to_stls_and_then_the_plaintext_after_it",
            ),
        ],
    ),
    (
        17,
        "curl, CVE-2021-22946: on in the clear",
        &[
            Trace("17-cve-2021-22946"),
            Trace("plaintext-refused-at-the-server"),
            KnownBug("goes-on-in-the-clear"),
            Test(STLS, "no_login_before_tls_where_it_is_required"),
        ],
    ),
    (
        18,
        "MailKit, CVE-2026-41319: what was learnt before TLS",
        &[
            Trace("18-cve-2026-41319"),
            KnownBug("capabilities-outlive-stls"),
            Test(STLS, "everything_before_tls_is_forgotten"),
        ],
    ),
    // A session is one connection, and cannot be used for another.
    (
        19,
        "curl, CVE-2026-8286: a connection used again",
        &[Test(STLS, "stls_once_and_not_under_tls_nor_after_utf8")],
    ),
    (
        20,
        "fetchmail, CVE-2021-39272, CVE-2006-5867, CVE-2011-1947",
        &[
            Trace("20-cve-2011-1947"),
            Trace("20-greeting-is-none"),
            Trace("20-greeting-refused"),
            Trace("20-odd-greeting"),
            Trace("20-stls-unanswered"),
            KnownBug("waits-for-ever-for-tls"),
        ],
    ),
    (
        21,
        "Courier, CVE-2021-38084: commands behind STLS",
        &[
            Trace("21-cve-2021-38084"),
            KnownBug("obeys-what-is-pipelined-behind-stls"),
            Test(
                "pop3-proto/tests/server/stls.rs",
                "what_is_pipelined_after_it_is_thrown_away",
            ),
        ],
    ),
    (
        22,
        "evolution, mutt, libetpan, CVE-2020-14928, CVE-2020-14954, CVE-2020-15953: replies before TLS",
        &[
            Trace("16-cve-2021-22947"),
            KnownBug("plaintext-behind-stls-is-kept"),
        ],
    ),
    (
        23,
        "APOP, CVE-2007-1558: a banner that is no message-id",
        &[
            Trace("23-apop-in-cleartext"),
            Trace("23-cve-2007-1558"),
            KnownBug("any-octets-are-a-timestamp"),
        ],
    ),
    (
        24,
        "poplib, CVE-2018-1060, CVE-2013-1752: banners and endless lines",
        &[
            Trace("24-cve-2013-1752"),
            Trace("24-cve-2018-1060"),
            Test(LOGIN, "apop_banner_of_brackets"),
        ],
    ),
    (
        25,
        "fetchmail, CVE-2012-3482: no NTLM challenge",
        &[Trace("25-cve-2012-3482")],
    ),
    (
        26,
        "curl tests 876 to 881, 889 to 891: challenges and `*`",
        &[
            Trace("26-auth-canceled"),
            Trace("26-cancel-at-the-server"),
            Trace("26-challenge-without-a-space"),
            Trace("26-oauthbearer-error"),
            Trace("26-success-after-cancel"),
            KnownBug("a-challenge-needs-a-space"),
            KnownBug("success-after-cancel-is-success"),
        ],
    ),
    (
        27,
        "MailKit#171, #268, #391: +OK for +, and text after it",
        &[
            Trace("27-ok-is-a-challenge"),
            Trace("27-text-after-a-challenge"),
            KnownBug("ok-within-auth-is-success"),
            Test(SASL, "ok_where_a_challenge_is_due"),
        ],
    ),
    (
        28,
        "getmail6#256, MailKit#1948: long tokens",
        &[
            Trace("28-long-token"),
            KnownBug("initial-response-of-any-length"),
        ],
    ),
    (
        29,
        "poplib, CVE-2025-15367; curl, CVE-2012-0036: controls in arguments",
        &[
            Trace("29-cve-2025-15367"),
            KnownBug("lets-controls-into-arguments"),
            Test(LOGIN, "control_characters_make_no_argument"),
        ],
    ),
    (
        30,
        "fetchmail, CVE-2005-2335: long unique-ids",
        &[
            Trace("30-cve-2005-2335"),
            KnownBug("cuts-unique-ids-in-a-listing"),
            KnownBug("cuts-unique-ids-to-70"),
        ],
    ),
    (
        31,
        "mutt, CVE-2018-14362, CVE-2018-14356: paths, and no unique-id",
        &[
            Trace("31-cve-2018-14362"),
            KnownBug("takes-no-unique-id-for-one"),
        ],
    ),
    (
        32,
        "MailKit#872, mpop: numbers too large, twice, left out",
        &[
            Trace("32-numbers"),
            KnownBug("numbers-in-a-listing-wrap"),
            KnownBug("takes-a-number-twice"),
            KnownBug("sizes-may-be-negative"),
        ],
    ),
    (
        33,
        "cyrus#374: equal unique-ids",
        &[
            Trace("33-equal-unique-ids"),
            Test(LISTINGS, "equal_unique_ids_are_handed_out_both"),
        ],
    ),
    (
        34,
        "twisted#9104: UIDL without its number",
        &[
            Trace("34-uidl-without-number"),
            Test(LISTINGS, "single_listing_without_its_number"),
        ],
    ),
    (
        35,
        "poplib: STAT without numbers",
        &[
            Trace("35-stat-without-numbers"),
            Test(LISTINGS, "stat_answers"),
        ],
    ),
    (
        36,
        "fetchmail, CVE-2010-1167, CVE-2008-2711, CVE-2021-36386: hostile text",
        &[
            Trace("36-hostile-text"),
            Test(REPLIES, "hostile_text_is_escaped"),
        ],
    ),
    (
        37,
        "wildduck#950: a pipelined message without its end",
        &[
            Trace("37-missing-terminator"),
            Test(
                "pop3-proto/tests/client/pipelining.rs",
                "missing_terminator_among_pipelined_replies",
            ),
        ],
    ),
    (
        38,
        "Maillennium, Comcast: TOP that is cut, two spaces",
        &[
            Trace("38-blanks"),
            Trace("38-blanks-outlook"),
            Trace("38-top-is-no-retr"),
        ],
    ),
    (
        39,
        "Stalwart 0.10: TOP n 0, deleted messages, message 0",
        &[
            Trace("39-stalwart"),
            Trace("39-top-and-deleted-at-the-server"),
            KnownBug("retrieves-deleted-messages"),
            KnownBug("top-0-sends-the-body"),
        ],
    ),
    (
        40,
        "async-pop 1.1.3: a queue that is not advanced",
        &[
            Trace("32-numbers"),
            KnownBug("a-malformed-line-stays-in-front-of-the-queue"),
        ],
    ),
];

#[test]
fn what_covers_a_bug_is_there() {
    let traces = trace::all().expect("traces");
    for (row, bug, covered) in &ROWS {
        assert!(!covered.is_empty(), "{row}: {bug}");
        for covered in *covered {
            let (is_there, what) = match covered {
                Trace(name) => (traces.iter().any(|(trace, _)| trace == name), name),
                KnownBug(name) => {
                    let mut all = known_bugs::all().iter();
                    (all.any(|bug| bug.name == *name), name)
                }
                Test(file, function) => (is_test(file, function), function),
            };
            assert!(is_there, "{row}, {bug}: there is no {what}");
        }
    }
}

/// Whether a file under `crates` has a test of that name, or a function that
/// its tests are made of.
fn is_test(file: &str, function: &str) -> bool {
    let path: PathBuf = corpus::root().join("../crates").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    text.contains(&format!("#[test]\nfn {function}("))
}

#[test]
fn every_bug_but_that_of_the_encoder_is_a_row() {
    let rows: Vec<u32> = ROWS.iter().map(|(row, ..)| *row).collect();
    let expected: Vec<u32> = (1..=40).filter(|row| *row != 14).collect();
    assert_eq!(rows, expected);
}

/// Traces with a number are named after a row.
#[test]
fn every_numbered_trace_is_in_its_row() {
    for (name, _) in trace::all().expect("traces") {
        let number = name
            .split('-')
            .next()
            .and_then(|number| number.parse().ok());
        let Some(number) =
            number.filter(|number: &u32| name.as_bytes()[0].is_ascii_digit() && *number < 100)
        else {
            continue;
        };
        let row = ROWS.iter().find(|(row, ..)| *row == number);
        let named = |covered: &Covered| matches!(covered, Trace(trace) if *trace == name);
        let is_named = row.is_some_and(|(_, _, covered)| covered.iter().any(named));
        assert!(is_named, "{name} is in no row");
    }
}
