//! The flaws, who has them, and which scenarios catch each.

/// One thing that a client does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each has its name and its source in `flaws`")]
pub enum Flaw {
    LfEndsLines,
    CrCrLfEnds,
    CrDotLfEnds,
    DotNulEnds,
    DotCrEndsInTime,
    RepliesEndMessages,
    SplitsAt8191,
    StripsCr,
    LosesOctetAfterDotCr,
    KeepsDots,
    OnlyDoubledDots,
    StartsMidLine,
    EmptyIsALine,
    NulEndsLines,
    OnlyUtf8,
    BreaksLongLines,
    RefusesLongLines,
    ReadsBeginLines,
    JunkIntoTheMail,
    ClosedIsTheEnd,
    ClosedAfterADotIsTheEnd,
    SpinsAtTheEnd,
    SlowIsTheEnd,
    StoresAsItComes,
    TrustsSizes,
    LargeSizeIsTruncation,
    AReadIsAStatus,
    RetrIsAlwaysPositive,
    RefusesABareOk,
    RefusesLongStatus,
    StatusBuffer512,
    OddStatusIsData,
    StatusIsACString,
    EightBitStatusSkips,
    StatusEndsAtCrlfAlone,
    ClosedIsDone,
    SpeaksFirst,
    GreetingIgnored,
    RefusedGreetingMeansNoTls,
    KeepsEndlessLines,
    ApopByAnyStamp,
    NeedsCapa,
    AsksCapaAgain,
    NeedsCapabilityArguments,
    LoginRefusalIgnored,
    Impatient,
    StatIsBelieved,
    BlanksAreFields,
    ListNumbersWrap,
    UidlNumbersWrap,
    ListLinesAreMessages,
    UidlLinesAreMessages,
    NumbersByPosition,
    ListingEndsWithTheConnection,
    DeletesWithoutLooking,
    UidOverflows,
    UidCutAt69,
    UidIsAPath,
    EmptyUidIsSeen,
    EqualUidIsSeen,
    UnprintableUidIsSeen,
    NoUidlNoMail,
    NoListNoMail,
    MalformedUidlNoMail,
    PollsWhenEmpty,
    OnlyTheFirst,
    StoresAfterQuit,
    SpeaksClearAfterStls,
    StlsIsOptional,
    KeepsPlaintextReplies,
    SilentStlsMeansClear,
    ReconnectsInTheClear,
    AnyCertificate,
    KeepsCapabilities,
    /// It sends a command that it should not.
    Says(Moment, &'static str),
}

/// When a superfluous command is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "as they say")]
pub enum Moment {
    BeforeLogin,
    AfterUser,
    AfterLogin,
    AtTheEnd,
}

/// A flaw, for a table.
#[derive(Clone, Copy, Debug)]
pub struct FlawRow {
    /// The flaw.
    pub flaw: Flaw,
    /// What it does wrong.
    pub name: &'static str,
    /// Who does it, or did.
    pub source: &'static str,
    /// The scenarios that catch it, all of them; for a superfluous command the
    /// statements that it breaks.
    pub caught_by: &'static [&'static str],
}

/// All flaws.
#[must_use]
pub const fn flaws() -> &'static [FlawRow] {
    &FLAWS
}

pub(super) fn by_name(name: &str) -> Option<Flaw> {
    let row = FLAWS.iter().find(|row| row.name == name)?;
    Some(row.flaw)
}

const fn row(
    flaw: Flaw,
    name: &'static str,
    source: &'static str,
    caught_by: &'static [&'static str],
) -> FlawRow {
    FlawRow {
        flaw,
        name,
        source,
        caught_by,
    }
}

/// A superfluous command, and the statements that it breaks.
const fn says(
    moment: Moment,
    line: &'static str,
    name: &'static str,
    breaks: &'static [&'static str],
) -> FlawRow {
    row(Flaw::Says(moment, line), name, "none that we know", breaks)
}

const FLAWS: [FlawRow; 99] = [
    row(Flaw::LfEndsLines, "lf-ends-lines", "poplib, Net::POP3, mpop, fetchmail, getmail6, Go, MailKit", &["end-lf-dot-lf", "end-lf-dot-crlf", "end-crlf-dot-lf"]),
    row(Flaw::CrCrLfEnds, "dot-cr-crlf-ends-a-message", "Net::POP3, rust-pop3-client, smtp-proto", &["end-dot-cr-crlf"]),
    row(Flaw::CrDotLfEnds, "cr-dot-lf-ends-a-message", "poplib, getmail6", &["end-cr-dot-lf"]),
    row(Flaw::DotNulEnds, "dot-nul-ends-a-message", "mpop 1.4.18", &["dot-nul"]),
    row(Flaw::DotCrEndsInTime, "dot-cr-and-silence-end-a-message", "cyrus-imapd#4717, from the other side", &["end-without-lf"]),
    row(Flaw::RepliesEndMessages, "a-line-like-a-reply-ends-a-message", "a guard against servers that lose the end", &["text-that-looks-like-replies"]),
    row(Flaw::SplitsAt8191, "a-buffer-of-8191-octets-begins-a-line", "fetchmail 6.4.37", &["lines-at-buffer-sizes"]),
    row(Flaw::StripsCr, "bare-cr-is-dropped", "fetchmail, getmail6", &["end-cr-dot-cr", "dot-cr-octet", "end-dot-cr-crlf", "end-cr-dot-lf"]),
    row(Flaw::LosesOctetAfterDotCr, "the-octet-after-dot-cr-is-lost", "Dovecot's istream-dot", &["dot-cr-octet", "end-dot-cr-crlf"]),
    row(Flaw::KeepsDots, "dots-are-kept", "async-pop, pop3-codec, pop3 1.0.6", &["dots-doubled", "dot-not-doubled", "dots-in-the-first-line", "lines-of-998-octets", "octet-by-octet", "split-anywhere", "end-crlf-dot-lf", "dot-cr-octet", "end-dot-cr-crlf", "dot-nul"]),
    row(Flaw::OnlyDoubledDots, "only-doubled-dots-are-removed", "curl, poplib, MailKit, Thunderbird, Net::POP3", &["dot-not-doubled", "end-crlf-dot-lf", "dot-cr-octet", "end-dot-cr-crlf", "dot-nul"]),
    row(Flaw::StartsMidLine, "the-first-line-has-no-beginning", "smtp-proto, Stalwart", &["dots-in-the-first-line", "empty-message"]),
    row(Flaw::EmptyIsALine, "an-empty-message-is-an-empty-line", "curl", &["empty-message"]),
    row(Flaw::NulEndsLines, "nul-ends-a-line", "C strings", &["nul-in-a-line", "dot-nul"]),
    row(Flaw::OnlyUtf8, "octets-become-utf-8", "rust-pop3-client", &["eight-bit-octets"]),
    row(Flaw::BreaksLongLines, "long-lines-are-broken", "fetchmail", &["line-of-a-mebibyte"]),
    row(Flaw::RefusesLongLines, "lines-of-998-octets-are-refused", "a limit of 500 octets", &["lines-of-998-octets"]),
    row(Flaw::ReadsBeginLines, "a-read-begins-a-line", "node-pop3, yapople, Outlook Express (BID 252)", &["octet-by-octet", "split-anywhere"]),
    row(Flaw::JunkIntoTheMail, "what-follows-the-end-is-mail", "curl", &["octets-after-the-end", "dot-not-stuffed"]),
    row(Flaw::ClosedIsTheEnd, "the-connections-end-is-the-messages", "curl", &["eof-anywhere-in-a-message"]),
    row(Flaw::ClosedAfterADotIsTheEnd, "a-dot-and-the-connections-end-are-enough", "poplib, getmail6", &["eof-anywhere-in-a-message"]),
    row(Flaw::SpinsAtTheEnd, "it-writes-for-ever-at-the-end", "mpop 1.4.18", &["eof-anywhere-in-a-message"]),
    row(Flaw::SlowIsTheEnd, "a-slow-message-is-over", "a timer that cuts", &["retr-drips"]),
    row(Flaw::StoresAsItComes, "it-stores-as-it-comes", "a Maildir without tmp", &["eof-anywhere-in-a-message", "end-without-lf", "retr-stops-in-the-middle", "retr-drips"]),
    row(Flaw::TrustsSizes, "it-stores-as-much-as-list-says", "a buffer of the announced size", &["list-sizes-too-small"]),
    row(Flaw::LargeSizeIsTruncation, "it-refuses-what-is-smaller-than-list-says", "jakartaee/mail-api#692, taken too far", &["list-sizes-too-large"]),
    row(Flaw::AReadIsAStatus, "a-read-holds-a-whole-status-line", "curl#12063", &["octet-by-octet", "split-anywhere"]),
    row(Flaw::RetrIsAlwaysPositive, "every-answer-to-retr-is-yes", "Thunderbird, curl", &["status-err", "status-err-lower-case", "status-empty", "status-without-plus", "status-star", "status-text-before"]),
    row(Flaw::RefusesABareOk, "plus-ok-needs-text", "a parser that splits at the space", &["status-ok"]),
    row(Flaw::RefusesLongStatus, "a-status-line-has-255-octets", "RFC 2449's limit for commands, misread", &["status-of-512-octets", "greeting-full-of-brackets"]),
    row(Flaw::StatusBuffer512, "the-rest-of-a-long-status-line-is-mail", "fetchmail", &["status-of-600-octets", "status-of-3000-octets", "status-of-70000-octets"]),
    row(Flaw::OddStatusIsData, "an-odd-status-line-is-mail", "Thunderbird", &["status-ok-lower-case", "status-plus", "status-okay", "status-ok-tab", "status-ok-cr-crlf", "status-ok-lf", "status-err-lower-case", "status-empty", "status-without-plus", "status-star", "status-text-before"]),
    row(Flaw::StatusIsACString, "nul-cuts-a-status-line", "C strings", &["status-with-nul"]),
    row(Flaw::EightBitStatusSkips, "a-status-line-beyond-ascii-skips-the-message", "rust-adv-pop3", &["status-with-8-bit"]),
    row(Flaw::StatusEndsAtCrlfAlone, "a-line-of-mail-is-part-of-the-status", "pop3-rs before it was audited", &["status-ok-lf"]),
    row(Flaw::ClosedIsDone, "the-connections-end-is-success", "a loop until there is no more", &["eof-anywhere-in-the-greeting", "eof-anywhere-in-the-login", "eof-anywhere-in-stat", "eof-anywhere-in-list", "eof-anywhere-in-uidl", "eof-anywhere-in-a-message", "eof-between-messages"]),
    row(Flaw::SpeaksFirst, "it-speaks-before-the-greeting", "scripts with netcat", &["greeting-missing", "greeting-drips", "greeting-refuses", "greeting-is-of-another-protocol"]),
    row(Flaw::GreetingIgnored, "the-greeting-is-not-read", "scripts", &["greeting-refuses", "greeting-is-of-another-protocol"]),
    row(Flaw::RefusedGreetingMeansNoTls, "a-refused-greeting-means-no-tls", "fetchmail (CVE-2021-39272)", &["greeting-refuses", "greeting-is-of-another-protocol", "stls-greeting-refuses"]),
    row(Flaw::KeepsEndlessLines, "lines-have-no-limit", "MailKit, Net::POP3, poplib before CVE-2013-1752", &["greeting-without-end", "status-without-end", "list-line-without-end"]),
    row(Flaw::ApopByAnyStamp, "apop-by-any-stamp", "fetchmail, mutt (CVE-2007-1558)", &["greeting-with-a-forged-stamp", "greeting-full-of-brackets"]),
    row(Flaw::NeedsCapa, "no-capa-no-login", "clients of newer servers", &["capa-refused"]),
    row(Flaw::AsksCapaAgain, "it-asks-for-capabilities-for-ever", "a loop until the list makes sense", &["capa-line-with-a-dot"]),
    row(Flaw::NeedsCapabilityArguments, "a-capability-without-argument-is-fatal", "MailKit", &["capa-without-an-argument"]),
    row(Flaw::LoginRefusalIgnored, "answers-to-the-login-are-not-read", "scripts", &["user-refused", "pass-refused"]),
    row(Flaw::Impatient, "no-answer-is-yes", "scripts with sleep", &["greeting-missing", "pass-unanswered", "retr-unanswered", "retr-stops-in-the-middle", "end-without-lf"]),
    row(Flaw::StatIsBelieved, "stat-is-a-loop-bound", "libetpan's kin; int32 crates", &["stat-none", "stat-one", "stat-text", "stat-negative", "stat-huge", "stat-above-31-bits"]),
    row(Flaw::BlanksAreFields, "a-run-of-blanks-is-empty-fields", "split at a space", &["stat-with-blanks-and-text", "list-with-blanks-and-text", "uidl-with-blanks", "unique-id-empty"]),
    row(Flaw::ListNumbersWrap, "numbers-of-list-wrap", "int32 crates", &["list-numbers-overflow", "list-duplicates"]),
    row(Flaw::UidlNumbersWrap, "numbers-of-uidl-wrap", "int32 crates", &["uidl-numbers-overflow", "uidl-duplicates"]),
    row(Flaw::ListLinesAreMessages, "each-line-of-list-is-a-message", "fetchmail", &["list-duplicates"]),
    row(Flaw::UidlLinesAreMessages, "each-line-of-uidl-is-a-message", "fetchmail", &["uidl-duplicates"]),
    row(Flaw::NumbersByPosition, "numbers-are-counted-by-line", "MailKit demands it", &["list-with-gaps"]),
    row(Flaw::ListingEndsWithTheConnection, "the-connections-end-is-the-listings", "a loop until there is no more", &["eof-anywhere-in-list", "eof-anywhere-in-uidl"]),
    row(Flaw::DeletesWithoutLooking, "it-deletes-what-it-was-refused", "scripts", &["status-err", "status-err-lower-case", "status-empty", "status-without-plus", "status-star", "status-text-before"]),
    row(Flaw::UidOverflows, "a-long-unique-id-crashes-it", "fetchmail (CVE-2005-2335)", &["unique-id-too-long", "unique-ids-alike-to-the-70th-octet"]),
    row(Flaw::UidCutAt69, "unique-ids-are-cut", "fetchmail at 128", &["unique-ids-of-70-octets", "unique-ids-alike-to-the-70th-octet"]),
    row(Flaw::UidIsAPath, "a-unique-id-is-a-file-name", "mutt (CVE-2018-14362)", &["unique-ids-are-paths"]),
    row(Flaw::EmptyUidIsSeen, "an-empty-unique-id-was-seen", "mutt (CVE-2018-14356)", &["unique-id-empty"]),
    row(Flaw::EqualUidIsSeen, "an-equal-unique-id-is-deleted-unseen", "cyrus-imapd#374, Thunderbird", &["unique-ids-equal"]),
    row(Flaw::UnprintableUidIsSeen, "an-unprintable-unique-id-was-seen", "a filter of log lines", &["unique-ids-unprintable"]),
    row(Flaw::NoUidlNoMail, "no-uidl-no-mail", "neomutt#1427", &["uidl-refused"]),
    row(Flaw::NoListNoMail, "no-list-no-mail", "MailKit#560's kin", &["list-refused"]),
    row(Flaw::MalformedUidlNoMail, "a-malformed-line-of-uidl-empties-it", "MailKit#560", &["uidl-line-with-a-dot", "uidl-numbers-overflow", "unique-id-empty", "unique-id-too-long", "unique-ids-alike-to-the-70th-octet", "unique-ids-unprintable"]),
    row(Flaw::PollsWhenEmpty, "it-polls-an-empty-maildrop", "a loop until mail comes", &["empty-maildrop"]),
    row(Flaw::OnlyTheFirst, "it-fetches-one-message", "curl", &["plain", "text-that-looks-like-replies", "eof-between-messages", "list-with-gaps", "unique-ids-of-70-octets", "unique-ids-are-paths"]),
    row(Flaw::StoresAfterQuit, "it-stores-when-all-is-deleted", "yam#210, turned round", &["eof-after-dele", "eof-between-messages", "dele-refused", "quit-refused"]),
    row(Flaw::SpeaksClearAfterStls, "no-handshake-after-stls", "scripts", &["stls-plain", "stls-no-handshake"]),
    row(Flaw::StlsIsOptional, "stls-is-optional", "curl --ssl (CVE-2021-22946)", &["stls-stripped", "stls-refused", "stls-capa-refused"]),
    row(Flaw::KeepsPlaintextReplies, "replies-outlive-stls", "curl (CVE-2021-22947), MailKit (CVE-2026-41319)", &["stls-injected", "stls-injected-refusal"]),
    row(Flaw::SilentStlsMeansClear, "a-silent-stls-means-no-tls", "fetchmail (CVE-2011-1947), turned round", &["stls-unanswered"]),
    row(Flaw::ReconnectsInTheClear, "it-reconnects-in-the-clear", "fallback of mail readers", &["stls-stripped", "stls-refused", "stls-capa-refused", "stls-injected", "stls-injected-refusal", "stls-no-handshake", "stls-closed", "stls-of-a-stranger"]),
    row(Flaw::AnyCertificate, "any-certificate-will-do", "fetchmail without sslcertck", &["stls-of-a-stranger"]),
    row(Flaw::KeepsCapabilities, "capabilities-outlive-stls", "MailKit before 4.16 (CVE-2026-41319)", &["stls-capabilities-change"]),
    says(Moment::BeforeLogin, "QUIT now", "quit-with-an-argument-before-login", &["C0012"]),
    says(Moment::AfterLogin, "STAT all", "stat-with-an-argument", &["C0015"]),
    says(Moment::BeforeLogin, "STAT", "stat-before-login", &["C0016", "C0007", "C0008"]),
    says(Moment::AfterLogin, "LIST 1", "list-of-one", &["V0003"]),
    says(Moment::BeforeLogin, "LIST", "list-before-login", &["C0018", "C0007", "C0008"]),
    says(Moment::AfterLogin, "RETR", "retr-without-a-number", &["V0004"]),
    says(Moment::BeforeLogin, "RETR 1", "retr-before-login", &["V0005", "C0007", "C0008"]),
    says(Moment::AfterLogin, "DELE", "dele-without-a-number", &["C0024"]),
    says(Moment::BeforeLogin, "DELE 3", "dele-before-login", &["C0025", "C0007", "C0008"]),
    says(Moment::AfterLogin, "NOOP now", "noop-with-an-argument", &["C0027"]),
    says(Moment::BeforeLogin, "NOOP", "noop-before-login", &["C0028", "C0007", "C0008"]),
    says(Moment::AfterLogin, "RSET", "rset", &["V0006"]),
    says(Moment::AtTheEnd, "QUIT now", "quit-with-an-argument", &["C0030"]),
    says(Moment::AfterLogin, "TOP 1", "top-with-one-argument", &["C0032"]),
    says(Moment::BeforeLogin, "TOP 1 0", "top-before-login", &["C0033", "C0007", "C0008"]),
    says(Moment::AfterLogin, "UIDL 1", "uidl-of-one", &["V0007"]),
    says(Moment::BeforeLogin, "UIDL", "uidl-before-login", &["C0035", "C0007", "C0008"]),
    says(Moment::BeforeLogin, "USER mrose again", "user-with-two-arguments", &["C0042"]),
    says(Moment::AfterLogin, "USER mrose", "user-after-login", &["C0043"]),
    says(Moment::BeforeLogin, "PASS secret", "pass-before-user", &["C0044", "C0047"]),
    says(Moment::AfterUser, "NOOP", "noop-between-user-and-pass", &["C0045", "C0028"]),
    says(Moment::BeforeLogin, "PASS", "pass-without-argument", &["C0046", "C0044", "C0047"]),
    says(Moment::BeforeLogin, "APOP mrose c4c9334bac560ecc979e58001b3e22fb", "apop", &["V0008"]),
    says(Moment::AfterLogin, "RETR  1", "two-spaces", &["C0004"]),
    says(Moment::AfterLogin, "NOOP \u{fc}", "octets-beyond-ascii", &["C0003", "C0027"]),
];
