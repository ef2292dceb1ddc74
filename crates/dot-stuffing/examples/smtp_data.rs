//! Receives mail by SMTP: commands through the line decoder, DATA through the
//! multi-line decoder, out of one buffer, so that pipelined commands after a
//! mail are neither lost nor taken for mail (RFC 5321 §4.5.2, RFC 2920).
//!
//! A mail that is too long, or has a bare CR or LF, is refused at its end, and the
//! next command is read: nothing of a refused mail is taken for a command.
//!
//! Runs against a client of its own on loopback.

use std::{
    error::Error,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use dot_stuffing::{Config, ErrorKind, LineDecoder, LineEndings, MultilineDecoder, Policy};

/// As EHLO announces it (RFC 1870).
const MAX_MAIL: u64 = 64;

const SESSION: &[u8] = b"EHLO me\r\n\
    MAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\n\
    Subject: this mail is longer than the server wants it to be\r\n\r\n..\r\n.\r\n\
    MAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\n\
    smuggled?\n.\nMAIL FROM:<forged@example>\r\n.\r\n\
    MAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\n\
    Subject: dots\r\n\r\n..hidden\r\n...\r\n.\r\n\
    QUIT\r\n";

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let client = thread::spawn(move || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(SESSION)?;
        let mut replies = String::new();
        stream.read_to_string(&mut replies)?;
        Ok(replies)
    });

    let (stream, _) = listener.accept()?;
    let mails = receive(stream)?;
    assert_eq!(mails, [b"Subject: dots\r\n\r\n.hidden\r\n..\r\n"]);
    let replies = client.join().map_err(|_| "the client panicked")??;
    assert!(replies.contains("\n552 ") && replies.contains("\n521 "));
    print!("{replies}");
    Ok(())
}

/// Serves one client, and returns the mails that it sent.
fn receive(mut stream: TcpStream) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let strict = LineEndings::new()
        .bare_cr(Policy::Reject)
        .bare_lf(Policy::Reject);
    // RFC 5321 §4.5.3.1.4.
    let mut lines = LineDecoder::<512>::with_line_endings(strict);
    let mut block = MultilineDecoder::with_config(Config::smtp().max_octets(MAX_MAIL));
    let mut in_data = false;
    let mut mail = Vec::new();
    let mut mails = Vec::new();

    stream.write_all(b"220 ready\r\n")?;
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err("the client left before QUIT".into());
        }
        let mut input = &buffer[..read];
        while !input.is_empty() {
            if in_data {
                for octets in block.feed(&mut input).flatten() {
                    mail.extend_from_slice(octets);
                }
                // After an error, this goes on to the end of the mail.
                if block.skip_to_end(&mut input) {
                    in_data = false;
                    let mail = std::mem::take(&mut mail);
                    // 5xx: do not send it again (RFC 5321 §4.2.1).
                    stream.write_all(match block.finish().map_err(|error| error.kind()) {
                        Ok(_) => {
                            mails.push(mail);
                            b"250 taken\r\n"
                        }
                        Err(ErrorKind::TooLong) => b"552 too much mail data\r\n",
                        Err(_) => b"521 a line must end with CRLF\r\n",
                    })?;
                }
                continue;
            }
            let Ok(step) = lines.decode(input) else {
                stream.write_all(b"500 line too long, or not ended with CRLF\r\n")?;
                lines.skip_line();
                continue;
            };
            input = &input[step.consumed..];
            match step.event {
                None => {}
                Some(b"DATA") => {
                    in_data = true;
                    block.reset();
                    stream.write_all(b"354 go on\r\n")?;
                }
                Some(b"QUIT") => {
                    stream.write_all(b"221 bye\r\n")?;
                    return Ok(mails);
                }
                Some(_) => stream.write_all(b"250 ok\r\n")?,
            }
        }
    }
}

#[test]
fn it_runs() -> Result<(), Box<dyn Error>> {
    main()
}
