//! `pop3 serve` as the server under test.

pub(crate) mod server {
    use std::{
        fs,
        io::{self, Read as _, Write as _},
        net::TcpStream,
        process::{Command, Stdio},
        time::Duration,
    };

    use pop3_conformance::check::Connection;
    use pop3_peers::{Listening, make_maildir};

    use crate::{
        checking::{Verdict, passes},
        server::{MESSAGES, PASSWORD, Subject, USER},
    };

    pub(crate) struct Served {
        pub(crate) process: Listening,
        maildir: tempfile::TempDir,
        /// How often the check waited for the server.
        waits: u32,
    }

    struct Socket(TcpStream);

    /// A check passes on `pop3 serve`.
    pub(crate) fn sound(check: fn(&mut dyn Subject) -> Verdict) {
        passes(check(&mut Served::new()));
    }

    impl Served {
        pub(crate) fn new() -> Self {
            pop3_peers::limit_children(crate::CHILD_LIMIT);
            let maildir = tempfile::tempdir().unwrap();
            make_maildir(maildir.path()).unwrap();
            for (number, message) in MESSAGES.iter().enumerate() {
                fs::write(maildir.path().join(format!("new/id-{number}")), message).unwrap();
            }
            let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
            command
                .args([
                    "serve",
                    "--listen",
                    "127.0.0.1:0",
                    "--login-delay",
                    "0",
                    "--user",
                    USER,
                    "--maildir",
                ])
                .arg(maildir.path())
                .env("POP3_PASSWORD", PASSWORD)
                .stdin(Stdio::null())
                .stderr(Stdio::null());
            Self {
                process: Listening::start(&mut command).unwrap(),
                maildir,
                waits: 0,
            }
        }
    }

    impl Subject for Served {
        fn connect(&mut self) -> io::Result<Box<dyn Connection>> {
            let stream = TcpStream::connect(&self.process.address)?;
            stream.set_nodelay(true)?;
            Ok(Box::new(Socket(stream)))
        }

        fn deliver(&mut self, unique_id: &str, message: &str) {
            fs::write(self.maildir.path().join("new").join(unique_id), message).unwrap();
        }

        fn wait(&mut self) -> bool {
            self.waits += 1;
            std::thread::sleep(Duration::from_millis(10));
            self.waits < 1000
        }
    }

    impl Connection for Socket {
        fn send(&mut self, octets: &[u8], within: Duration) -> io::Result<()> {
            self.0.set_write_timeout(Some(within))?;
            self.0.write_all(octets)
        }

        fn receive(&mut self, into: &mut [u8], within: Duration) -> io::Result<usize> {
            self.0.set_nonblocking(within.is_zero())?;
            if !within.is_zero() {
                self.0.set_read_timeout(Some(within))?;
            }
            let read = self.0.read(into);
            self.0.set_nonblocking(false)?;
            read
        }

        fn start_tls(&mut self, _: Duration) -> io::Result<()> {
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}
