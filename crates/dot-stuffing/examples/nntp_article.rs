//! Reads an article by NNTP (RFC 3977 §6.2.1): a status line, then a multi-line
//! block, then the next status line from the same stream.
//!
//! Without arguments it reads a recorded reply; with a server and a message-id
//! it asks for the article: `nntp_article news.example:119 '<id@example>'`.

use std::{
    env,
    error::Error,
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use dot_stuffing::{Config, MultilineReader};

const RECORDED: &[u8] = b"220 0 <1@example> article\r\n\
    Message-ID: <1@example>\r\n\
    \r\n\
    ..signature\r\n\
    .\r\n\
    205 bye\r\n";

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let article = match &arguments[..] {
        [] => article(&mut &RECORDED[..])?,
        [server, message_id] => {
            let mut stream = TcpStream::connect(server)?;
            write!(stream, "ARTICLE {message_id}\r\nQUIT\r\n")?;
            let mut replies = BufReader::new(stream);
            status(&mut replies, '2')?;
            article(&mut replies)?
        }
        _ => return Err("usage: nntp_article [SERVER:PORT MESSAGE-ID]".into()),
    };
    io::stdout().write_all(&article)?;
    Ok(())
}

/// An article and the reply to QUIT after it.
fn article(replies: &mut impl BufRead) -> Result<Vec<u8>, Box<dyn Error>> {
    status(replies, '2')?;
    let mut article = Vec::new();
    MultilineReader::with_config(&mut *replies, Config::nntp()).read_to_end(&mut article)?;
    status(replies, '2')?;
    Ok(article)
}

/// One status line, of the wanted class.
fn status(replies: &mut impl BufRead, class: char) -> Result<(), Box<dyn Error>> {
    let mut line = String::new();
    replies.by_ref().take(512).read_line(&mut line)?;
    match line.starts_with(class) && line.ends_with("\r\n") {
        true => Ok(()),
        false => Err(format!("the server said {line:?}").into()),
    }
}

#[test]
fn reads_the_recorded_article() -> Result<(), Box<dyn Error>> {
    let message = b"Message-ID: <1@example>\r\n\r\n.signature\r\n";
    assert_eq!(article(&mut &RECORDED[..])?, message);
    Ok(())
}
