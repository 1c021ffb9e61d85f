//! Plain HTTP through an HTTP proxy, as curl and apt do it.
//!
//! `ureq` reaches every server through `CONNECT`, which many proxies refuse for port 80, and which keeps those that
//! cache packages from seeing what to cache. A request to a proxy has the whole URI in its first line instead (RFC 9112,
//! section 3.2.2), so that line is rewritten on its way to the socket.

use amint_types::Redacted;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::config::Config;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport,
};
use ureq::{Agent, Proxy};

use super::resolver::Remembering;

/// Makes an agent whose every connection goes to the proxy.
pub(super) fn agent(configuration: Config, proxy: &Proxy) -> Agent {
    let authorization = proxy.username().map(|user| {
        let pair = format!("{user}:{}", proxy.password().unwrap_or_default());
        Redacted::new(format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(pair)))
    });
    let connector = ().chain(TcpConnector::default()).chain(ForwardConnector { authorization });
    Agent::with_parts(configuration, connector, Remembering::of_proxy(proxy))
}

#[derive(Debug)]
struct ForwardConnector {
    authorization: Option<Redacted<String>>,
}

impl<In: Transport> Connector<In> for ForwardConnector {
    type Out = Forward<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let authority = details.uri.authority().ok_or(ureq::Error::ConnectionFailed)?;
        let origin = format!("http://{authority}");
        Ok(chained.map(|inner| Forward { inner, origin, authorization: self.authorization.clone() }))
    }
}

/// A connection to the proxy, kept for requests to one server.
#[derive(Debug)]
struct Forward<In> {
    inner: In,
    origin: String,
    authorization: Option<Redacted<String>>,
}

impl<In: Transport> Transport for Forward<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let written = self.inner.buffers().output().get(..amount).unwrap_or_default();
        let authorization = self.authorization.as_ref().map_or("", |value| value.expose().as_str());
        let Some(head) = rewrite(written, &self.origin, authorization) else {
            return self.inner.transmit_output(amount, timeout);
        };
        let mut rest = head.as_slice();
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let count = rest.len().min(output.len());
            output[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            self.inner.transmit_output(count, timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// Puts the origin before the path of a request's first line, and the proxy's authorization after that line.
fn rewrite(head: &[u8], origin: &str, authorization: &str) -> Option<Vec<u8>> {
    let path = head.strip_prefix(b"GET ").filter(|path| path.starts_with(b"/"))?;
    let line_end = path.windows(2).position(|pair| pair == b"\r\n")? + 2;
    let (line, fields) = path.split_at(line_end);
    Some([b"GET ", origin.as_bytes(), line, authorization.as_bytes(), fields].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_the_proxy_for_the_whole_uri() {
        let head = b"GET /debian/x HTTP/1.1\r\nHost: a.example\r\n\r\n";
        let found = rewrite(head, "http://a.example", "Proxy-Authorization: Basic x\r\n").unwrap();
        assert_eq!(
            String::from_utf8(found).unwrap(),
            "GET http://a.example/debian/x HTTP/1.1\r\nProxy-Authorization: Basic x\r\nHost: a.example\r\n\r\n"
        );
        assert!(rewrite(b"rest of a head", "http://a.example", "").is_none());
    }
}
