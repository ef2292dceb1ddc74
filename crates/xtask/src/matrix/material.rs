//! What the maildrop of a checked server holds: what the checks ask for.

/// The messages, with LF line ends.
pub(super) fn messages() -> Vec<Vec<u8>> {
    let message = |number: usize, text: &str| {
        format!(
            "From: Ada <ada@example.org>\nTo: Grace <grace@example.org>\nSubject: {number}\n\
             Message-ID: <{number}@example.org>\nDate: Mon, 01 Jan 2024 00:00:00 +0000\n\n{text}\n"
        )
    };
    // As the same machine may write them at the same second.
    let alike = |text: &str| {
        format!("From: cron@example.org\nDate: Mon, 01 Jan 2024 00:00:00 +0000\n\n{text}\n")
    };
    let lines = "One line.\nAnother line.\n\nA line after an empty one.\nThe last line.";
    let long = format!(
        "{}\n{}",
        "x".repeat(998),
        "A line of some length.\n".repeat(700)
    );
    [
        message(1, lines),
        ".first: line\nSubject: a dot comes first\n\ntext\nand more text\n".to_owned(),
        message(3, ".one\n..two\n...\n.\n..\n.\ttext\ntext.\n."),
        message(
            4,
            "+OK 3 messages\n-ERR no such message\n.\nFrom here on\nQUIT",
        ),
        message(5, "Gr\u{fc}\u{df}e, \u{4e16}\u{754c}\nand more"),
        message(6, &long),
        alike("The disk is full."),
        alike("The disk is not full any more."),
        message(9, lines),
        message(10, lines),
    ]
    .map(String::into_bytes)
    .to_vec()
}
