//! FILE, `--output` and `--rest`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{Run, pop3, run};

/// A directory for one test.
struct Directory(TempDir);

impl Directory {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, octets: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, octets).unwrap();
        path
    }

    /// The names of all entries, in order.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn decode_to(output: &Path, options: &[&str], wire: &[u8]) -> Run {
    let mut arguments = vec!["decode", "--output", output.to_str().unwrap()];
    arguments.extend(options);
    run(arguments, wire)
}

#[test]
fn the_input_can_be_a_file() {
    let directory = Directory::new();
    let block = directory.write("block", b"..a\r\n.\r\n");
    run(["decode".as_ref(), block.as_os_str()], b"ignored").gives(b".a\r\n");
    let message = directory.write("message", b".a\n");
    run(["encode".as_ref(), message.as_os_str()], b"ignored").gives(b"..a\r\n.\r\n");
}

#[cfg(unix)]
#[test]
fn exits_with_66_if_the_input_cannot_be_opened() {
    let directory = Directory::new();
    for command in ["decode", "encode"] {
        let missing = directory.path("missing\n");
        run([command.as_ref(), missing.as_os_str()], b"").fails(
            66,
            b"",
            &format!(
                "pop3 {command}: cannot open {}/missing\\n: No such file or directory (os error 2)",
                directory.0.path().display()
            ),
        );
        let done = run([command.as_ref(), directory.0.path().as_os_str()], b"");
        assert_eq!(done.status, Some(66), "{}", done.stderr);
        assert!(done.stderr.contains("is a directory"), "{}", done.stderr);
    }
}

#[test]
fn exits_with_73_if_the_output_cannot_be_created() {
    let directory = Directory::new();
    let inside = directory.path("missing/file");
    let name = directory.0.path();
    for option in ["--output", "--rest"] {
        for path in [&inside, name] {
            let arguments = ["decode".as_ref(), option.as_ref(), path.as_os_str()];
            let done = run(arguments, b".\r\n");
            assert_eq!((done.status, done.stdout), (Some(73), vec![]));
            let start = format!("pop3 decode: cannot create {}: ", path.display());
            assert!(done.stderr.starts_with(&start), "{}", done.stderr);
            assert_eq!(done.stderr.lines().count(), 1);
        }
    }
    let arguments = ["encode".as_ref(), "-o".as_ref(), inside.as_os_str()];
    assert_eq!(run(arguments, b"").status, Some(73));
    assert!(directory.names().is_empty());
}

#[test]
fn a_complete_block_creates_the_file() {
    let directory = Directory::new();
    let output = directory.path("message");
    decode_to(&output, &[], b"..a\r\n.\r\n").gives(b"");
    assert_eq!(fs::read(&output).unwrap(), b".a\r\n");
    decode_to(&output, &[], b"other\r\n.\r\n").gives(b"");
    assert_eq!(fs::read(&output).unwrap(), b"other\r\n");
    assert_eq!(directory.names(), ["message"]);
}

#[test]
fn a_bare_name_is_in_the_working_directory() {
    let directory = Directory::new();
    directory.write("block", b"a\r\n.\r\n");
    let status = pop3(["decode", "-o", "message", "block"])
        .current_dir(directory.0.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(fs::read(directory.path("message")).unwrap(), b"a\r\n");
    assert_eq!(directory.names(), ["block", "message"]);
}

#[test]
fn an_incomplete_block_leaves_the_file_unchanged() {
    let long = b"line\r\n".repeat(100_000);
    let directory = Directory::new();
    let output = directory.path("message");
    for there in [None, Some(b"old")] {
        if let Some(old) = there {
            fs::write(&output, old).unwrap();
        }
        for (options, wire) in [
            (&[][..], &b"a\r\n"[..]),
            (&[], &long),
            (&[], b"a\r\n.\r\nrest"),
            (&["--reject-bare-lf"], b"a\n\r\n.\r\n"),
            (&["--reply"], b"-ERR\r\n"),
            (&["--max-octets=2"], b"a\r\n.\r\n"),
        ] {
            let done = decode_to(&output, options, wire);
            assert_ne!(done.status, Some(0), "{options:?}");
            assert_eq!(done.stdout, b"");
            assert_eq!(done.stderr.lines().count(), 1, "{}", done.stderr);
            assert_eq!(fs::read(&output).ok().as_deref(), there.map(|old| &old[..]));
            assert_eq!(directory.names().len(), usize::from(there.is_some()));
        }
        let encode = ["encode", "--newline=reject", "-o", output.to_str().unwrap()];
        assert_eq!(run(encode, b"a\r\nb\n").status, Some(65));
        assert_eq!(fs::read(&output).ok().as_deref(), there.map(|old| &old[..]));
        assert_eq!(directory.names().len(), usize::from(there.is_some()));
    }
}

#[test]
fn encode_creates_a_file_too() {
    let directory = Directory::new();
    let output = directory.path("block");
    run(["encode", "-o", output.to_str().unwrap()], b".a\n").gives(b"");
    assert_eq!(fs::read(&output).unwrap(), b"..a\r\n.\r\n");
}

#[test]
fn an_output_can_replace_the_input() {
    let directory = Directory::new();
    let file = directory.path("file");
    let path = file.to_str().unwrap();
    let block = b"..a\r\n.\r\nrest";
    for (command, before, after, output) in [
        (
            &["encode", "-o", path][..],
            &b".a\n"[..],
            &b"..a\r\n.\r\n"[..],
            &b""[..],
        ),
        (
            &["decode", "-o", path, "--allow-rest"],
            block,
            b".a\r\n",
            b"",
        ),
        (&["decode", "--rest", path], block, b"rest", b".a\r\n"),
    ] {
        fs::write(&file, before).unwrap();
        run([command, &[path]].concat(), b"").gives(output);
        assert_eq!(fs::read(&file).unwrap(), after, "{command:?}");
    }
}

#[test]
fn rest_keeps_what_follows() {
    let directory = Directory::new();
    let rest = directory.path("rest");
    let arguments = ["decode", "--rest", rest.to_str().unwrap()];
    let follows = b".\r\n+OK\0\n".repeat(50_000);
    run(arguments, &[b"a\r\n.\r\n", &follows[..]].concat()).gives(b"a\r\n");
    assert!(fs::read(&rest).unwrap() == follows);
    run(arguments, b"a\r\n.\r\n").gives(b"a\r\n");
    assert_eq!(fs::read(&rest).unwrap(), b"");

    fs::write(&rest, "old").unwrap();
    assert_eq!(run(arguments, b"cut off").status, Some(65));
    assert_eq!(fs::read(&rest).unwrap(), b"old");
    assert_eq!(directory.names(), ["rest"]);
}

#[test]
fn refuses_the_same_place_for_rest_and_message() {
    let directory = Directory::new();
    let file = directory.path("file");
    fs::create_dir(directory.path("sub")).unwrap();
    let rest = directory.path("sub/../file");
    let line = "pop3 decode: --rest and --output name the same place; give --rest another FILE";
    decode_to(&file, &["--rest", rest.to_str().unwrap()], b".\r\nrest").fails(64, b"", line);
    run(["decode", "--rest", "-"], b".\r\nrest").fails(64, b"", line);
    assert_eq!(directory.names(), ["sub"]);
    // One of them alone may be standard output.
    decode_to(&file, &["--rest", "-"], b"a\r\n.\r\nrest").gives(b"rest");
    assert_eq!(fs::read(&file).unwrap(), b"a\r\n");
}

#[cfg(unix)]
#[test]
fn a_file_keeps_its_mode_and_a_link_its_target() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let directory = Directory::new();
    let file = directory.write("file", b"old");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let link = directory.path("link");
    symlink("file", &link).unwrap();
    decode_to(&link, &[], b"new\r\n.\r\n").gives(b"");
    assert_eq!(fs::read(&file).unwrap(), b"new\r\n");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o640
    );

    // A new file has the mode that the umask allows, as this one does.
    let model = fs::metadata(directory.write("model", b"")).unwrap();
    let new = directory.path("new");
    decode_to(&new, &[], b".\r\n").gives(b"");
    assert_eq!(
        fs::metadata(&new).unwrap().permissions(),
        model.permissions()
    );
}

// A pipe, not a device of the machine: a faulty program that runs as root would
// replace the device with a file.
#[cfg(target_os = "linux")]
#[test]
fn a_named_pipe_is_written_to_and_stays_a_pipe() {
    use std::{io::Read as _, os::unix::fs::FileTypeExt as _};

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let directory = Directory::new();
    let path = directory.path("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    // Opened for reading and writing, so that neither end blocks on open.
    let mut pipe = fs::File::options()
        .read(true)
        .write(true)
        .open(&path)
        .unwrap();
    decode_to(&path, &[], b"..a\r\n.\r\n").gives(b"");
    assert!(fs::metadata(&path).unwrap().file_type().is_fifo());
    let mut message = [0; 4];
    pipe.read_exact(&mut message).unwrap();
    assert_eq!(&message, b".a\r\n");
    assert_eq!(directory.names(), ["pipe"]);
}

#[cfg(target_os = "linux")]
#[test]
fn exits_with_74_on_other_failures() {
    let directory = Directory::new();
    let block = directory.write("block", b"a\r\n.\r\n");
    for command in ["decode", "encode"] {
        let full = fs::File::options().write(true).open("/dev/full").unwrap();
        let done = pop3([command.as_ref(), block.as_os_str()])
            .stdout(full)
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(done.stderr).unwrap(),
            format!(
                "pop3 {command}: cannot write standard output: \
                 No space left on device (os error 28)\n"
            )
        );
        assert_eq!(done.status.code(), Some(74));
    }
    // A directory can be opened but not read.
    run(["decode", "/proc/self/mem"], b"").fails(
        74,
        b"",
        "pop3 decode: cannot read /proc/self/mem: Input/output error (os error 5)",
    );
}

/// A file that cannot be opened is not replaced.
#[cfg(unix)]
#[test]
fn leaves_a_link_to_itself_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink("link", &link).unwrap();
    let file = link.to_str().unwrap();
    let done = run(["decode", "--output", file], b"a\r\n.\r\n");
    assert_eq!(done.status, Some(73), "{done:?}");
    assert!(link.is_symlink());
}
