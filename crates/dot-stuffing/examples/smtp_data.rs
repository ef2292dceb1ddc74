//! Receives a mail by SMTP: commands through the line decoder, DATA through the
//! multi-line decoder, out of one buffer, so that pipelined commands behind the
//! mail are neither lost nor taken for mail (RFC 5321 §4.5.2, RFC 2920).
//!
//! Runs against a client of its own on loopback.

use std::{
    error::Error,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use dot_stuffing::{Config, LineDecoder, LineEndings, MultilineDecoder, Policy};

fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let client = thread::spawn(move || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"EHLO me\r\nMAIL FROM:<a@example>\r\nRCPT TO:<b@example>\r\nDATA\r\n")?;
        stream.write_all(b"Subject: dots\r\n\r\n..hidden\r\n...\r\n.\r\nQUIT\r\n")?;
        let mut replies = String::new();
        stream.read_to_string(&mut replies)?;
        Ok(replies)
    });

    let (stream, _) = listener.accept()?;
    let mail = receive(stream)?;
    assert_eq!(mail, b"Subject: dots\r\n\r\n.hidden\r\n..\r\n");
    println!("{}", mail.escape_ascii());
    print!("{}", client.join().map_err(|_| "the client panicked")??);
    Ok(())
}

/// Serves one client, and returns the last mail that it sent.
fn receive(mut stream: TcpStream) -> Result<Vec<u8>, Box<dyn Error>> {
    // No line end but CRLF: what one server lets through, the next may take
    // for the end of the mail.
    let line_endings = LineEndings::new()
        .bare_cr(Policy::Reject)
        .bare_lf(Policy::Reject);
    let mut lines = LineDecoder::<512>::with_line_endings(line_endings);
    let config = Config::new()
        .line_endings(line_endings)
        .max_octets(10 << 20);
    let mut block = MultilineDecoder::with_config(config);
    let mut in_data = false;
    let mut mail = Vec::new();

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
                for octets in block.feed(&mut input) {
                    mail.extend_from_slice(octets?);
                }
                if block.finish().is_ok() {
                    in_data = false;
                    stream.write_all(b"250 taken\r\n")?;
                }
                continue;
            }
            let step = lines.decode(input)?;
            input = &input[step.consumed..];
            match step.event {
                None => {}
                Some(b"DATA") => {
                    in_data = true;
                    block.reset();
                    mail.clear();
                    stream.write_all(b"354 go on\r\n")?;
                }
                Some(b"QUIT") => {
                    stream.write_all(b"221 bye\r\n")?;
                    return Ok(mail);
                }
                Some(_) => stream.write_all(b"250 ok\r\n")?,
            }
        }
    }
}
