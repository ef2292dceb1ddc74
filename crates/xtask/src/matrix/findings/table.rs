//! What is known of each defect that is not in the matrix.

use super::{Defect, Kind};

/// Checks whose failure loses, forges or leaks no mail.
pub(super) const HARMLESS: [&str; 8] = [
    "C0014",
    "C0019",
    "C0026",
    "C0036",
    "rfc1939-deleted-unlisted",
    "rfc1939-no-such-message",
    "rfc1939-reply-length",
    "rfc2449-pipelining",
];

/// Beginnings of what a client did that leaves all mail where it was.
pub(super) const HARMLESS_DEEDS: [&str; 5] = [
    "it did not end",
    "it did not store message",
    "it ended well without message",
    "it kept all of an endless line",
    "it stored a message again",
];

pub(super) const DEFECTS: [Defect; 24] = [
    Defect {
        kind: Kind::Client,
        title: "LF alone ends a line, and so a dot between two LF ends a message",
        shown_by: &[
            ("end-lf-dot-lf", "it ends after"),
            ("end-lf-dot-crlf", "it ends after"),
            ("end-crlf-dot-lf", "it ends after"),
        ],
        clause: "RFC 1939 §3: CRLF ends a line, and CRLF, a dot, CRLF end the message",
        consequence: "A message that holds these octets is cut there. Clients that delete what they have fetched lose the \
                      rest for good. What follows is read as the server's replies, so whoever writes the mail can make \
                      up replies, and with them further messages.",
        fix: "Look for CRLF and nothing else when reading a multi-line reply. Convert line ends only when storing.",
    },
    Defect {
        kind: Kind::Client,
        title: "CR alone ends a line, and so CR, a dot, LF end a message",
        shown_by: &[("end-cr-dot-lf", "it ends after")],
        clause: "RFC 1939 §3: CRLF ends a line",
        consequence: "A message that holds these octets is cut there, and what follows is read as the server's replies.",
        fix: "Do not remove CR before the line is compared with the dot; compare with a dot and CRLF.",
    },
    Defect {
        kind: Kind::Client,
        title: "A line of a dot and several CR ends a message",
        shown_by: &[
            ("end-dot-cr-crlf", "it ends after"),
            ("dot-cr-octet", "it ends after"),
        ],
        clause: "RFC 1939 §3: the last line is a dot and CRLF",
        consequence: "A message with such a line is cut there. Clients that delete what they have fetched lose the rest.",
        fix: "Compare the whole line, line end included, with a dot and CRLF.",
    },
    Defect {
        kind: Kind::Client,
        title: "Any line that begins with a single dot ends a message",
        shown_by: &[("dot-not-doubled", "it ends after")],
        clause: "RFC 1939 §3: where more than CRLF follows the dot, the dot is removed and the rest is a line",
        consequence: "From a server that forgets to double a dot, as some do for the first line of a message, the rest of \
                      the message is lost, and read as replies.",
        fix: "End the message only where CRLF follows the dot; else remove the dot.",
    },
    Defect {
        kind: Kind::Client,
        title: "NUL ends a line",
        shown_by: &[
            ("dot-nul", "it ends after"),
            ("nul-in-a-line", "it ends after"),
            ("nul-in-a-line", "NUL is lost"),
        ],
        clause: "RFC 1939 §3: only CRLF ends a line",
        consequence: "The rest of a line behind NUL is lost. Where the line begins with a dot the message ends there and \
                      is deleted, with all that follows unread.",
        fix: "Keep the length of each line that is read, and use no function for C strings on it.",
    },
    Defect {
        kind: Kind::Client,
        title: "The end of the connection ends a message",
        shown_by: &[
            ("eof-anywhere-in-a-message", "for the whole"),
            ("eof-anywhere-in-a-message", "as if it were mail"),
            ("eof-between-messages", "for the whole"),
            ("eof-anywhere-in-list", "deleted"),
            ("eof-anywhere-in-stat", "deleted"),
            ("end-without-lf", "as if it were mail"),
            ("retr-drips", "as if it were mail"),
            ("retr-stops-in-the-middle", "as if it were mail"),
            ("retr-unanswered", "as if it were mail"),
            ("status-without-end", "as if it were mail"),
        ],
        clause: "RFC 1939 §3: a multi-line reply ends with a dot and CRLF, and with nothing else",
        consequence: "A message that was cut off on the way is kept as if it were whole. Where the exit status is 0 nobody \
                      is told.",
        fix: "Treat the end of the connection before the last line as an error, and remove what was stored of the message.",
    },
    Defect {
        kind: Kind::Client,
        title: "The end of the connection within a message begins an endless loop that writes",
        shown_by: &[
            ("eof-anywhere-in-a-message", "grew past the limit"),
            ("eof-anywhere-in-a-message", "it did not end"),
        ],
        clause: "RFC 1939 §3: a multi-line reply ends with a dot and CRLF",
        consequence: "The disk is filled with the last line over and over, until no other mail can be stored.",
        fix: "Check each read for the end of the connection, and stop with an error.",
    },
    Defect {
        kind: Kind::Client,
        title: "A dot is kept that the server did not double",
        shown_by: &[
            ("dot-not-doubled", "a dot is added"),
            ("dot-cr-octet", "a dot is added"),
            ("dot-nul", "a dot is added"),
            ("end-crlf-dot-lf", "a dot is added"),
            ("end-dot-cr-crlf", "a dot is added"),
            ("lines-at-buffer-sizes", "a dot is added"),
        ],
        clause: "RFC 1939 §3: the first octet of a line that begins with a dot is removed, whatever follows it",
        consequence: "The stored message differs from what every client that follows the standard stores, and signatures \
                      over it do not fit.",
        fix: "Remove one dot at the start of each line, doubled or not.",
    },
    Defect {
        kind: Kind::Client,
        title: "Doubled dots are kept",
        shown_by: &[
            ("dots-doubled", "a dot is added"),
            ("dots-in-the-first-line", "a dot is added"),
            ("lines-of-998-octets", "a dot is added"),
            ("split-anywhere", "a dot is added"),
            ("octet-by-octet", "a dot is added"),
        ],
        clause: "RFC 1939 §3: the first octet of a line that begins with a dot is removed",
        consequence: "A line of a message that begins with a dot gets another one, always or where a read ends before it, and \
                      signatures over it do not fit.",
        fix: "Remove one dot at the start of each line, and keep across reads whether a line has begun.",
    },
    Defect {
        kind: Kind::Client,
        title: "A message that cannot be fetched leaves an empty one",
        shown_by: &[
            ("status-err", "in place of"),
            (
                "eof-between-messages",
                "nobody sent; it stored a message again",
            ),
            ("*", "in place of"),
        ],
        clause: "RFC 1939 §3: there is a message only after `+OK`",
        consequence: "The user finds an empty mail, one more with each run, that nobody sent.",
        fix: "Make the file of a message when its first octet has come, and remove it where the last line does not come.",
    },
    Defect {
        kind: Kind::Client,
        title: "CR within a line is lost",
        shown_by: &[
            ("dot-cr-octet", "CR is lost"),
            ("end-cr-dot-cr", "CR is lost"),
            ("end-cr-dot-lf", "CR is lost"),
            ("end-dot-cr-crlf", "CR is lost"),
            ("dot-cr-octet", "there is `"),
            ("end-cr-dot-cr", "it ends after octet"),
            ("end-cr-dot-cr", "a line end is added"),
            ("end-dot-cr-crlf", "there is `"),
        ],
        clause: "RFC 1939 §3: CRLF ends a line; CR alone is an octet of it",
        consequence: "The stored message differs from what was sent, and signatures over it do not fit.",
        fix: "Remove CR only where LF follows it at the end of a line.",
    },
    Defect {
        kind: Kind::Client,
        title: "A line longer than a buffer is read as several",
        shown_by: &[
            ("lines-at-buffer-sizes", "deleted"),
            ("lines-at-buffer-sizes", "crashed"),
            ("line-of-a-mebibyte", "from octet"),
            ("line-of-a-mebibyte", "only a part"),
            ("lines-of-998-octets", "only a part"),
        ],
        clause: "RFC 1939 §3: only CRLF ends a line",
        consequence: "A dot behind a full buffer is taken for the start of a line: it is removed, or it ends the message, \
                      which is deleted. Octets of memory that was never written may come into the mail.",
        fix: "Remember across reads whether the last octets were CRLF, and write exactly the octets that were read.",
    },
    Defect {
        kind: Kind::Client,
        title: "Octets that no command asked for are taken for the next reply, or for mail",
        shown_by: &[
            ("first-dot-not-stuffed", "nobody sent"),
            ("first-dot-not-stuffed", "deleted"),
            ("dot-not-stuffed", "message 1"),
            ("octets-after-the-end", "message 1"),
        ],
        clause: "RFC 1939 §3: one reply answers one command",
        consequence: "After a message that ended early, as with servers that do not double a first dot, its rest is stored \
                      as another message, and a message that was never read is deleted.",
        fix: "Where octets are left over when a command is sent, the session is out of step: close it, delete nothing.",
    },
    Defect {
        kind: Kind::Client,
        title: "A status line that comes before the end of a message is stored as mail",
        shown_by: &[("replies-interleaved", "message 1")],
        clause: "RFC 2449 §6.6: replies come in the order of the commands",
        consequence: "From a server that mixes the replies to pipelined commands, each message is stored with a foreign line.",
        fix: "Compare the octets that came with the size in LIST before the message is deleted, or do not pipeline.",
    },
    Defect {
        kind: Kind::Client,
        title: "APOP is sent over a timestamp that is not one",
        shown_by: &[
            ("greeting-with-a-forged-stamp", "APOP"),
            ("greeting-full-of-brackets", "APOP"),
        ],
        clause: "RFC 1939 §7: the timestamp is a message-id of RFC 822 (CVE-2007-1558)",
        consequence: "Whoever stands between can choose octets for which MD5 collides, and so learns the first characters of the \
                      password.",
        fix: "Take a timestamp only if it is printable ASCII with one `@` between `<` and `>`; better, leave out APOP.",
    },
    Defect {
        kind: Kind::Client,
        title: "A message of no octets is given octets",
        shown_by: &[("empty-message", "message 1")],
        clause: "RFC 1939 §3: the block may be its last line alone",
        consequence: "What is stored was not sent: a header, or a text that the client made up.",
        fix: "Store what came, even if that is nothing.",
    },
    Defect {
        kind: Kind::Client,
        title: "A refusal is taken for a message",
        shown_by: &[
            ("status-empty", "for the whole"),
            ("status-err", "for the whole"),
            ("status-err-lower-case", "for the whole"),
            ("status-star", "for the whole"),
            ("status-text-before", "for the whole"),
            ("status-without-plus", "for the whole"),
        ],
        clause: "RFC 1939 §3: only `+OK` is a positive reply",
        consequence: "Something is stored that is no mail, and what follows is out of step.",
        fix: "Go on only after `+OK`; close the session after a status line that is neither `+OK` nor `-ERR`.",
    },
    Defect {
        kind: Kind::Client,
        title: "A part of the status line is stored as mail, or a part of the mail is lost with it",
        shown_by: &[
            ("status-of-600-octets", "added before it"),
            ("status-of-3000-octets", "added before it"),
            ("status-of-70000-octets", "added before it"),
            ("status-of-70000-octets", "only a part"),
            ("status-ok-lf", "missing"),
            ("status-ok-lf", "from octet"),
        ],
        clause: "RFC 1939 §3: CRLF ends the first line of a reply",
        consequence: "The stored message is not what was sent.",
        fix: "Read the status line to its CRLF, whatever its length, or refuse it and close the session.",
    },
    Defect {
        kind: Kind::Client,
        title: "Octets of the message are changed or left out",
        shown_by: &[
            ("plain", "LF is lost"),
            ("eight-bit-octets", "message 1"),
            ("text-that-looks-like-replies", "message 1"),
            ("list-sizes-too-small", "message 1"),
            ("*", "LF is lost"),
        ],
        clause: "RFC 1939 §3: a message is the octets between the status line and the last line, without the added dots",
        consequence: "The stored message is not what was sent, and signatures over it do not fit.",
        fix: "Keep octets, not text: decode nothing before it is stored, and end each line where CRLF ends it.",
    },
    Defect {
        kind: Kind::Client,
        title: "TLS is asked for, and the session goes on without it or with what came before it",
        shown_by: &[
            ("stls-capa-refused", "in the clear"),
            ("stls-closed", "in the clear"),
            ("stls-greeting-refuses", "in the clear"),
            ("stls-injected", "message 1"),
            ("stls-injected-refusal", "message 1"),
            ("stls-no-handshake", "in the clear"),
            ("stls-of-a-stranger", "message 1"),
            ("stls-refused", "in the clear"),
            ("stls-stripped", "in the clear"),
            ("stls-unanswered", "in the clear"),
        ],
        clause: "RFC 2595 §4",
        consequence: "Whoever stands between learns the password and the mail.",
        fix: "Where TLS is required, send nothing that is secret before the handshake has succeeded, and throw away all \
              that was read before it.",
    },
    Defect {
        kind: Kind::Server,
        title: "A dot that is the first octet of a message is not doubled",
        shown_by: &[("rfc1939-stuffing-first-octet", "")],
        clause: "RFC 1939 §3: each line that begins with a dot gets another one",
        consequence: "The message loses its first octet. A message whose first line is a dot alone reads as an empty one; \
                      its rest is then read as the replies to later commands, which clients that do not check delete by.",
        fix: "Begin each multi-line reply in the state at the start of a line.",
    },
    Defect {
        kind: Kind::Server,
        title: "Commands that come with STLS before the handshake are obeyed after it",
        shown_by: &[("rfc2595-stls-discards", "")],
        clause: "RFC 2595 §4: what was known before TLS is discarded",
        consequence: "Whoever stands between can put commands into a session that both ends take for protected.",
        fix: "Empty the input buffer when the handshake begins.",
    },
    Defect {
        kind: Kind::Server,
        title: "What LIST, TOP or RETR say of a message is not the message",
        shown_by: &[("C0021", ""), ("C0023", ""), ("C0034", "")],
        clause: "RFC 1939 §§5, 7, 11",
        consequence: "A client that compares sizes cannot tell a whole message from one that was cut.",
        fix: "Count a message as it is sent, with CRLF for each line end, and add nothing to it.",
    },
    Defect {
        kind: Kind::Server,
        title: "Two messages have one unique-id",
        shown_by: &[("C0040", "")],
        clause: "RFC 1939 §7: a unique-id names one message of the maildrop",
        consequence: "A client that goes by unique-ids takes the second message for the first, and never fetches it.",
        fix: "Make the unique-id of more than the header, or count copies of it.",
    },
];
