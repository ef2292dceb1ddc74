use std::{env, path::Path};

use super::*;
use crate::{delivery::Delivery, disk::System};

/// A message that no pipe holds: a command that does not read it must not matter.
fn long() -> Vec<u8> {
    b"Subject: x\n\n.a line\n".repeat(1 << 16)
}

/// Gives messages to a command in one group.
fn hand_over(home: &Path, command: &str, messages: &[&[u8]]) -> Vec<Answer> {
    let spool = home.join("spool");
    let mut delivery = open(&System, command, &spool).unwrap();
    for message in messages {
        delivery.begin(b"").unwrap();
        delivery.write(message).unwrap();
        delivery.end((0, 0)).unwrap();
    }
    let Sealed::Singly(mut group) = delivery.seal() else {
        panic!("a command takes messages one by one");
    };
    let answers = (0..messages.len()).map(|index| group.hand_over(index, &[], &mut Vec::new()));
    let answers = answers.map(|answer| answer.unwrap()).collect();
    let left = fs::read_dir(home).unwrap().map(|file| file.unwrap());
    let left: Vec<_> = left.map(|file| file.file_name()).collect();
    assert!(!left.contains(&"spool.message".into()), "{left:?}");
    answers
}

fn answer(command: &str) -> (Verdict, String, String) {
    let home = tempfile::tempdir().unwrap();
    let answers = hand_over(home.path(), command, &[&long()]);
    let [answer] = answers.try_into().unwrap();
    let words = String::from_utf8(answer.words).unwrap();
    (answer.verdict, answer.how, words)
}

#[test]
fn gives_each_message_whole_to_a_run_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let command = format!("cd {} && cat > $$.mail", home.path().display());
    let messages = [&b"one\n"[..], &long(), b"", b"\xff\0.\r\n.\n"];
    for answer in hand_over(home.path(), &command, &messages) {
        assert_eq!(answer.verdict, Verdict::Accepted);
        assert!(!answer.is_news());
    }
    let files = fs::read_dir(home.path()).unwrap().map(|file| file.unwrap());
    let mails = files.filter(|file| file.file_name().to_str().unwrap().ends_with(".mail"));
    let mut mails: Vec<Vec<u8>> = mails.map(|file| fs::read(file.path()).unwrap()).collect();
    let mut messages = messages.map(<[u8]>::to_vec);
    mails.sort();
    messages.sort();
    assert!(mails == messages);
}

#[test]
fn status_0_means_taken_even_if_the_message_is_not_read() {
    for command in ["cat >/dev/null", "true", "head -c 1 >/dev/null", "exec <&-"] {
        let (verdict, _, words) = answer(command);
        assert_eq!(
            (verdict, words.as_str()),
            (Verdict::Accepted, ""),
            "{command}"
        );
    }
}

#[test]
fn any_other_end_leaves_the_message() {
    for (command, verdict, part) in [
        ("exit 75", Verdict::Deferred, "status 75 (try again later)"),
        ("cat >/dev/null; exit 1", Verdict::Refused, "status 1"),
        ("exit 65", Verdict::Refused, "status 65"),
        ("exit 111", Verdict::Refused, "status 111"),
        ("exit 255", Verdict::Refused, "status 255"),
        ("/", Verdict::Refused, "status 126 (it cannot be executed)"),
        (
            "no-such-program",
            Verdict::Refused,
            "status 127 (it is not found)",
        ),
        ("kill -9 $$", Verdict::Refused, "signal 9"),
        ("kill -15 $$", Verdict::Refused, "signal 15"),
    ] {
        let (found, how, _) = answer(command);
        assert_eq!(found, verdict, "{command}");
        assert!(how.ends_with(part), "{command}: {how}");
    }
}

#[test]
fn keeps_the_start_of_what_the_command_writes() {
    let (_, _, words) = answer("echo out; echo err >&2; exit 1");
    assert_eq!(words, "out\nerr");
    let (verdict, _, words) = answer("echo remark >&2");
    assert_eq!((verdict, words.as_str()), (Verdict::Accepted, "remark"));
    // Much more than a pipe holds: all of it is read.
    let (verdict, _, words) = answer("head -c 3000000 /dev/zero | tr '\\0' x && exit 75");
    assert_eq!(verdict, Verdict::Deferred);
    assert_eq!(words, "x".repeat(WORDS));
}

/// A process that the command left has its output open.
#[test]
fn reads_what_was_written_before_the_command_ended() {
    let (output, mut end) = io::pipe().unwrap();
    let (ended, end_of_wait) = io::pipe().unwrap();
    drop(end_of_wait);
    end.write_all(b"said").unwrap();
    assert_eq!(listen(output, &ended), b"said");
}

/// It has the output of the command open for longer than any test runs.
#[test]
fn does_not_wait_for_a_process_that_the_command_leaves() {
    for leaves in ["sleep 10000 &", "yes >&2 &"] {
        let home = tempfile::tempdir().unwrap();
        let command = format!(
            "cd {}; {leaves} echo $! > pid; echo said >&2; exit 75",
            home.path().display()
        );
        let answers = hand_over(home.path(), &command, &[b"x"]);
        let pid = fs::read_to_string(home.path().join("pid")).unwrap();
        let _ = Command::new("kill").arg(pid.trim()).status();
        assert_eq!(answers[0].verdict, Verdict::Deferred);
        if leaves.starts_with("sleep") {
            assert_eq!(answers[0].words, b"said");
        }
    }
}

#[test]
fn has_the_environment_and_the_working_directory_of_this_program() {
    // Cargo sets it for tests.
    let own = env::var("CARGO_MANIFEST_DIR").unwrap();
    let (_, _, words) = answer("echo $CARGO_MANIFEST_DIR");
    assert_eq!(words, own);
    let (_, _, words) = answer("pwd");
    assert_eq!(words, env::current_dir().unwrap().to_str().unwrap());
}
