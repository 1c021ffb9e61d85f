//! Asking a web server of the guest.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, USER_AGENT};
use hyper::http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::imds::GUEST_ADDRESS;

/// What a body may have at most.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Where a test's URL leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Destination {
    /// The port of the guest.
    pub(crate) port: u16,
    authority: String,
    path: String,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Understands a test's URL; the error is for the author of the recipe.
pub(crate) fn destination(url: &str) -> Result<Destination, String> {
    let Some(rest) = url.strip_prefix("http://{host}") else {
        return Err(format!("`{url}` must begin with `http://{{host}}`"));
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let port = match authority.strip_prefix(':') {
        None if authority.is_empty() => 80,
        Some(port) => port.parse().ok().filter(|port| *port != 0).unwrap_or_default(),
        None => 0,
    };
    if port == 0 {
        return Err(format!("`{url}`: nothing but a port may stand behind `{{host}}`"));
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    path.parse::<PathAndQuery>().map_err(|error| format!("`{url}`: {error}"))?;
    Ok(Destination { port, authority: format!("{GUEST_ADDRESS}{authority}"), path })
}

/// Gets `destination` from `address`; the error tells in words what went wrong.
pub(crate) async fn get(address: SocketAddr, destination: &Destination) -> Result<Answer, String> {
    let stream = TcpStream::connect(address).await.map_err(|error| format!("no connection: {error}"))?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| format!("no HTTP: {error}"))?;
    let exchange = async move {
        let request = Request::get(&destination.path)
            .header(HOST, &destination.authority)
            .header(USER_AGENT, "amint")
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let response = sender.send_request(request).await.map_err(|error| format!("no answer: {error}"))?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| format!("status {status}, and the body breaks off: {error}"))?;
        Ok(Answer { status, headers, body: String::from_utf8_lossy(&body.to_bytes()).into_owned() })
    };
    // The connection may end before the answer is taken up; it ends in any case once the answer is there.
    let (answer, ended): (Result<Answer, String>, _) = tokio::join!(exchange, connection);
    answer.map_err(|reason| match ended {
        Ok(()) => reason,
        Err(error) => format!("{reason} ({error})"),
    })
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn url_must_lead_to_the_guest() {
        let port = |url| destination(url).map(|destination| destination.port);
        assert_eq!(port("http://{host}/healthz?x=1"), Ok(80));
        assert_eq!(port("http://{host}"), Ok(80));
        assert_eq!(port("http://{host}:8080/"), Ok(8080));
        for url in [
            "https://{host}/",
            "http://example.com/",
            "http://{host}.example.com/",
            "http://{host}:0/",
            "http://{host}:99999/",
            "http://{host}:/",
            "http://{host}@example.com/",
            "http://{host} /",
            "",
        ] {
            assert!(port(url).is_err(), "{url}");
        }
    }

    async fn answer_with(response: &'static str) -> Result<Answer, String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            assert!(request.starts_with("GET /a?b HTTP/1.1\r\n"), "{request}");
            assert!(request.contains("169.254.169.15:8080"), "{request}");
            stream.write_all(response.as_bytes()).await.unwrap();
        });
        get(address, &destination("http://{host}:8080/a?b").unwrap()).await
    }

    #[tokio::test]
    async fn answer_comes_with_status_headers_and_body() {
        let response = "HTTP/1.1 503 Busy\r\nX-Name: Value\r\nTransfer-Encoding: chunked\r\n\r\n\
            3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
        let answer = answer_with(response).await.unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (503, "abcde"));
        assert!(answer.headers.contains(&("x-name".to_owned(), "Value".to_owned())));
    }

    #[tokio::test]
    async fn server_that_hangs_up_is_told() {
        for response in ["", "SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"] {
            assert!(answer_with(response).await.is_err(), "{response}");
        }
    }
}
