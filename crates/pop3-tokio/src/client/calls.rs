//! The calls of a client.

use core::fmt;

use super::{
    Deletion, Error, Listed, Redactor, Refusal, Retrieval, RetrieveError, Sink,
    commands::{Ask, Foreign, Listing, Stat},
    delete::Delete,
    driver::Driver,
    retrieve::{Retrieve, Top},
};
use dot_stuffing::Complete;
use pop3_proto::{
    Capability, Command, DropListing, LanguageRange, MessageNumber, ScanListing, UniqueIdListing,
    client::{Capabilities, DeleteProof, Event, MaildropIndex, Request},
};

/// A connection to a POP3 server.
///
/// Every call sends its commands and waits for their replies. If a call is dropped
/// before it ends, or its sink fails, replies stay outstanding, and later calls
/// return [`Error::Interrupted`]. Dropping the client closes the connection;
/// messages marked as deleted then stay on the server.
///
/// ```
/// use pop3_tokio::MessageNumber;
/// use pop3_tokio::client::{Client, Credentials, Endpoint, Settings};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// // A server with prepared answers, in place of one on the network.
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// let (near, mut far) = tokio::io::duplex(1024);
/// let server = async move {
///     let answers = ["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "+OK 1 8\r\n"];
///     let answers = answers.into_iter().chain(["+OK\r\n..dot\r\n.\r\n", "+OK\r\n", "+OK\r\n"]);
///     for answer in answers {
///         far.write_all(answer.as_bytes()).await?;
///         far.read(&mut [0; 64]).await?;
///     }
///     Ok::<_, std::io::Error>(())
/// };
/// # let server = tokio::spawn(server);
///
/// let endpoint: Endpoint = "pop3://mrose@mail.example.org".parse()?;
/// let mut settings = Settings::default();
/// settings.insecure_plaintext = true; // only because nothing leaves this process
/// let mut client = Client::on(near, &endpoint, &settings).await?;
/// client.login(&Credentials::password("mrose", "tanstaaf")).await?;
/// for number in (1..=client.stat().await?.messages).filter_map(MessageNumber::new) {
///     let (message, retrieved) = client.retrieve_to_vec(number, 50 << 20).await?;
///     assert_eq!(message, b".dot\r\n");
///     client.delete([retrieved]).await?; // after it is stored
/// }
/// client.quit().await?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Memory is bounded: a read buffer of 128 KiB, and the buffers of TLS and of
/// [`pop3_proto::client::Session`]. A client never holds a whole message, except in
/// [`retrieve_to_vec`](Self::retrieve_to_vec).
pub struct Client {
    pub(super) driver: Driver,
    /// The number of commands that may await replies at once.
    pub(super) window: usize,
    pub(super) capa_refused: bool,
    /// Whether an access token may be sent without TLS.
    pub(super) token_in_cleartext: bool,
}

impl Client {
    /// Whether TLS protects the connection.
    #[must_use]
    pub const fn is_under_tls(&self) -> bool {
        self.driver.session().is_under_tls()
    }

    /// The capabilities that the server announced last.
    #[must_use]
    pub const fn announced(&self) -> &Capabilities {
        self.driver.session().capabilities()
    }

    /// Asks for the server's capabilities (RFC 2449 §5). Calls `on_line` with each
    /// line; afterwards [`announced`](Self::announced) returns them.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the server does not support CAPA.
    pub async fn capabilities(
        &mut self,
        mut on_line: impl FnMut(Capability<'_>),
    ) -> Result<Listed, Error> {
        self.listing(&Command::Capa, |event| {
            if let Event::Capability(capability) = event {
                on_line(capability);
            }
        })
        .await
    }

    /// Asks for the number of messages and of octets in the maildrop (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// If the server refuses, or its reply is malformed.
    pub async fn stat(&mut self) -> Result<DropListing, Error> {
        self.enqueue(&Command::Stat)?;
        self.driver.run(Stat).await
    }

    /// Asks for the size of each message (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// If the server refuses. Malformed lines are skipped and counted.
    pub async fn list(&mut self, mut on_line: impl FnMut(ScanListing)) -> Result<Listed, Error> {
        self.listing(&Command::List(None), |event| {
            if let Event::Scan(listing) = event {
                on_line(listing);
            }
        })
        .await
    }

    /// Asks for the unique-id of each message (RFC 1939 §7). Sends UIDL even if the
    /// server does not announce it, because some servers support it without
    /// announcing it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the server does not support UIDL. Malformed lines are
    /// skipped and counted.
    pub async fn uidl(
        &mut self,
        mut on_line: impl FnMut(UniqueIdListing<'_>),
    ) -> Result<Listed, Error> {
        self.listing(&Command::Uidl(None), |event| {
            if let Event::UniqueId(listing) = event {
                on_line(listing);
            }
        })
        .await
    }

    /// Asks for the size of each message, and adds them to an index, which is
    /// efficient even for millions of messages.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn index_sizes(&mut self, index: &mut MaildropIndex) -> Result<Listed, Error> {
        let handle = |event: Event<'_>| index.handle(&event);
        self.listing(&Command::List(None), handle).await
    }

    /// Asks for the unique-id of each message, and adds them to an index.
    ///
    /// # Errors
    ///
    /// As [`uidl`](Self::uidl).
    pub async fn index_unique_ids(&mut self, index: &mut MaildropIndex) -> Result<Listed, Error> {
        let handle = |event: Event<'_>| index.handle(&event);
        self.listing(&Command::Uidl(None), handle).await
    }

    /// Retrieves messages into a sink, in order, and pipelined if the server
    /// announces PIPELINING.
    ///
    /// It takes from `numbers` as commands are sent, so that the end of the
    /// iterator ends the retrieval; messages that were already requested still
    /// arrive.
    ///
    /// # Errors
    ///
    /// The error of the sink, or that of the client. The sink has received all
    /// earlier messages completely.
    pub async fn retrieve<S: Sink>(
        &mut self,
        numbers: impl IntoIterator<Item = MessageNumber>,
        sink: &mut S,
    ) -> Result<Retrieval, RetrieveError<S::Error>> {
        self.driver.begin()?;
        let most = self.window();
        let retrieve = Retrieve::new(sink, numbers.into_iter(), most);
        self.driver.run(retrieve).await
    }

    /// Retrieves the header of a message and the first `lines` lines of its body
    /// (RFC 1939 §7).
    ///
    /// # Errors
    ///
    /// The error of `on_data`, or [`Error::Refused`] if the server does not have
    /// TOP or the message.
    pub async fn top<E>(
        &mut self,
        number: MessageNumber,
        lines: u32,
        on_data: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Complete, RetrieveError<E>> {
        self.enqueue(&Command::Top(number, lines))?;
        self.driver.run(Top(on_data)).await
    }

    /// Marks messages as deleted, pipelined if the server announces PIPELINING. The
    /// server removes them only when [`quit`](Self::quit) succeeds.
    ///
    /// # Errors
    ///
    /// If a message is already marked, or its proof belongs to another connection.
    /// Earlier messages are marked.
    pub async fn delete<P: Into<DeleteProof>>(
        &mut self,
        proofs: impl IntoIterator<Item = P>,
    ) -> Result<Deletion, Error> {
        self.driver.begin()?;
        let delete = Delete::new(proofs.into_iter(), self.window());
        self.driver.run(delete).await
    }

    /// Sends NOOP, which keeps the server from closing the connection.
    ///
    /// # Errors
    ///
    /// If the server refuses.
    pub async fn noop(&mut self) -> Result<(), Error> {
        self.ask(&Command::Noop).await
    }

    /// Unmarks all messages marked as deleted (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// [`Error::Command`] if the profile never sends RSET (MS-STANOPOP3 V0006).
    pub async fn rset(&mut self) -> Result<(), Error> {
        self.ask(&Command::Rset).await
    }

    /// Allows the server to send UTF-8 in headers and listings (RFC 6856 §2). Call
    /// it before the login and after TLS.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the server does not support UTF8; [`Error::Command`]
    /// after the login.
    pub async fn utf8(&mut self) -> Result<(), Error> {
        self.ask(&Command::Utf8).await
    }

    /// Asks for the languages of the server's replies. Each line has a tag and a
    /// description (RFC 6856 §3).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the server does not support LANG.
    pub async fn languages(&mut self, mut on_line: impl FnMut(&[u8])) -> Result<Listed, Error> {
        self.listing(&Command::LangList, |event| {
            if let Event::Line(line) = event {
                on_line(line);
            }
        })
        .await
    }

    /// Sets the language of the server's replies; `*` lets the server choose (RFC
    /// 6856 §3).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the server does not have the language.
    pub async fn language(&mut self, range: LanguageRange<'_>) -> Result<(), Error> {
        self.ask(&Command::Lang(range)).await
    }

    /// Ends the session. Only now the server removes the marked messages.
    ///
    /// # Errors
    ///
    /// If the server refuses or does not answer. Then some marked messages may
    /// still be on the server.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.ask(&Command::Quit).await?;
        self.driver.close().await;
        Ok(())
    }

    /// Runs the caller's exchange: any number of commands and their replies. Texts
    /// in replies are as the server sent them; pass them through
    /// [`redactor`](Self::redactor) before showing them.
    ///
    /// # Errors
    ///
    /// The error of the exchange, or that of the client.
    pub async fn run<E: pop3_proto::client::Exchange>(
        &mut self,
        exchange: &mut E,
    ) -> Result<E::Output, RetrieveError<E::Error>> {
        self.driver.begin()?;
        self.driver.run(Foreign(exchange)).await
    }

    /// Returns a redactor, which makes texts of this server safe to show. It knows
    /// what was sent to log in so far.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor(self.driver.secrets().clone())
    }

    /// Closes the connection. Call it after an exchange that got a positive reply
    /// to QUIT.
    pub async fn close(self) {
        self.driver.close().await;
    }

    /// The number of commands that may await replies at once: 1, unless the server
    /// announces PIPELINING and the settings allow it.
    #[must_use]
    pub fn window(&self) -> usize {
        let announced = self.announced();
        match announced.is_current() && announced.pipelining() {
            true => self.window,
            false => 1,
        }
    }

    fn enqueue(&mut self, command: &Command<'_>) -> Result<(), Error> {
        self.driver.begin()?;
        Ok(self.driver.enqueue(command)?)
    }

    pub(super) async fn ask(&mut self, command: &Command<'_>) -> Result<(), Error> {
        self.enqueue(command)?;
        self.driver.run(Ask).await
    }

    async fn listing(
        &mut self,
        command: &Command<'_>,
        on_event: impl FnMut(Event<'_>),
    ) -> Result<Listed, Error> {
        self.enqueue(command)?;
        let listing = Listing {
            on_event,
            first_malformed: None,
        };
        self.driver.run(listing).await
    }

    /// Asks for the capabilities, unless they are known.
    pub(super) async fn know_capabilities(&mut self) -> Result<(), Error> {
        match self.announced().is_current() {
            true => Ok(()),
            false => self.refresh_capabilities().await,
        }
    }

    /// Asks for the capabilities, unless the server refused that before.
    pub(super) async fn refresh_capabilities(&mut self) -> Result<(), Error> {
        if self.capa_refused {
            return Ok(());
        }
        match self.capabilities(|_| {}).await {
            Err(Error::Refused(Refusal {
                request: Some(Request::Capa),
                ..
            })) => {
                self.capa_refused = true;
                Ok(())
            }
            other => other.map(drop),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("session", self.driver.session())
            .finish_non_exhaustive()
    }
}
