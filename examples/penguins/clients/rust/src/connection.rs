//! One connection to a Parley server, over TLS or without, that the clients of several services share.
use std::cell::RefCell;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{pem::PemObject, CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TCompactInputProtocol, TCompactOutputProtocol, TInputProtocol,
    TMultiplexedOutputProtocol, TOutputProtocol,
};
use thrift::transport::{TFramedReadTransport, TFramedWriteTransport};

pub const TIMEOUT: Duration = Duration::from_secs(5);

type Input = Box<dyn TInputProtocol>;
type Output = Box<dyn TOutputProtocol>;

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// A clone reads and writes the same stream; framing makes that safe, since a reply is read as a whole.
#[derive(Clone)]
struct Shared(Rc<RefCell<Stream>>);

impl Read for Shared {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match &mut *self.0.borrow_mut() {
            Stream::Plain(stream) => stream.read(bytes),
            Stream::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.borrow_mut() {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut *self.0.borrow_mut() {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

pub struct Connection {
    stream: Shared,
    compact: bool,
    multiplexed: bool,
}

impl Connection {
    pub fn open(
        address: &str,
        compact: bool,
        multiplexed: bool,
        authority: Option<&str>,
    ) -> Result<Connection, Box<dyn Error>> {
        let (host, _) = address.rsplit_once(':').ok_or("an address is HOST:PORT")?;
        let target = address.to_socket_addrs()?.next().ok_or("the host has no address")?;
        // TTcpChannel's own `open` waits for as long as the system does.
        let stream = TcpStream::connect_timeout(&target, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        let stream = match authority {
            None => Stream::Plain(stream),
            Some(file) => Stream::Tls(Box::new(StreamOwned::new(secured(host, file)?, stream))),
        };
        Ok(Connection { stream: Shared(Rc::new(RefCell::new(stream))), compact, multiplexed })
    }

    /// What a service's client is made of. The protocol is the caller's choice; the server answers in the same.
    pub fn protocols(&self, service: &str) -> (Input, Output) {
        let input = TFramedReadTransport::new(self.stream.clone());
        let output = TFramedWriteTransport::new(self.stream.clone());
        let (input, output): (Input, Output) = if self.compact {
            (Box::new(TCompactInputProtocol::new(input)), Box::new(TCompactOutputProtocol::new(output)))
        } else {
            (Box::new(TBinaryInputProtocol::new(input, true)), Box::new(TBinaryOutputProtocol::new(output, true)))
        };
        if !self.multiplexed {
            return (input, output);
        }
        // Plain names reach the server's default service; "Penguins:identify" is there in any case.
        (input, Box::new(TMultiplexedOutputProtocol::new(service, output)))
    }
}

/// TLS: the server must show a certificate of this authority, for this host.
fn secured(host: &str, authority: &str) -> Result<ClientConnection, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(authority)? {
        roots.add(certificate?)?;
    }
    let configuration = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(ClientConnection::new(Arc::new(configuration), ServerName::try_from(host.to_string())?)?)
}
