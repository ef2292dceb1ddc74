//! Shell completions and man pages, which are generated from the definitions of
//! the arguments.

use std::fs;

use crate::run;

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = String::from_utf8(run(["--help"], b"").stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|word| !word.is_empty() && *word != "help")
        .map(String::from)
        .collect()
}

#[test]
fn completions_know_every_command_in_every_shell() {
    let commands = commands();
    assert!(commands.iter().any(|command| command == "decode"));
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run(["completions", shell], b"");
        let script = String::from_utf8(run.stdout).unwrap();
        for command in &commands {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
    }
}

#[test]
fn the_man_page_names_every_command() {
    let run = run(["man"], b"");
    let page = String::from_utf8(run.stdout).unwrap();
    assert!(page.contains(".TH pop3 1"), "{page}");
    for command in commands() {
        assert!(page.contains(&format!("pop3\\-{command}(1)")), "{command}");
    }
}

#[test]
fn a_directory_gets_a_page_for_each_command() {
    let directory = tempfile::tempdir().unwrap();
    run(
        ["man", "--directory", directory.path().to_str().unwrap()],
        b"",
    )
    .gives(b"");
    for command in commands() {
        let page = fs::read_to_string(directory.path().join(format!("pop3-{command}.1"))).unwrap();
        assert!(page.contains("SYNOPSIS"), "{page}");
    }
    let run = run(["man", "--directory", "/nowhere/at/all"], b"");
    assert_eq!(run.status, Some(73), "{run:?}");
}
